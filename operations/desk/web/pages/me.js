// On the phone: who one is, and what one did that the server does not know yet, or did not take.
import { name, where } from "../lib/places.js";
import { dismiss, queue } from "../lib/queue.js";
import { session, signOut } from "../lib/session.js";
import { moment } from "../lib/time.js";
import { complain } from "../lib/toasts.js";

export default {
  data: () => ({ queue, session }),
  methods: {
    dismiss, moment, name, where,
    act(item) {
      return item.words.label ?? this.t(`act.${item.words.verb}`);
    },
    leave: () => signOut().catch(complain),
  },
  template: `
    <div class="stack">
      <section class="panel who-card"><Icon name="person" /><h2>{{ session.me.name }} <small>{{ session.me.id }}</small></h2>
        <p>{{ session.me.roles.map((role) => t('role.' + role)).join('、') }}</p><p class="quiet">{{ session.me.places.map(name).join('、') }}</p></section>
      <section class="panel"><h2>{{ t('queue') }}</h2>
        <p v-if="!queue.items.length" class="quiet">{{ t('queue.none') }}</p>
        <ul class="outbox"><li v-for="item in queue.items" :key="item.id" :data-item="item.id" :class="item.state">
          <b>{{ act(item) }}</b><span>{{ spoken(item.words.title) }}</span><time>{{ moment(item.saidMs) }}</time>
          <span v-if="item.state === 'refused'" class="problem">{{ t('queue.refused') }}：{{ item.detail }}</span>
          <span v-else class="chip wait">{{ item.who === session.me.id ? t('queue.waiting') : t('queue.other', { who: item.who }) }}</span>
          <button v-if="item.state === 'refused'" @click="dismiss(item.id)">{{ t('queue.dismiss') }}</button></li></ul></section>
      <button class="big" @click="leave"><Icon name="leave" />{{ t('sign.out') }}</button>
    </div>`,
};
