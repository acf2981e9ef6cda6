// Elderly care: residents at risk by pseudonym; who somebody is only with a reason, shown once and not kept.
import { get, post } from "../lib/api.js";
import { request } from "../lib/dialog.js";
import { name, where } from "../lib/places.js";
import { can } from "../lib/session.js";
import { ago } from "../lib/time.js";
import { complain } from "../lib/toasts.js";

const AGAIN_MS = 15_000;

export default {
  data: () => ({ places: null, residents: null, known: {} }),
  created() {
    this.load();
    this.timer = setInterval(this.load, AGAIN_MS);
  },
  unmounted() {
    clearInterval(this.timer);
  },
  computed: {
    cares: () => can("care.identity"),
    communities: ({ places }) => (places ?? []).filter(({ place }) => place.length >= 9),
  },
  methods: {
    ago,
    name,
    where,
    async load() {
      try {
        this.places = await get("/care/places");
        if (this.cares) this.residents = await get("/care/residents");
      } catch (error) {
        complain(error);
      }
    },
    async identify(subject) {
      const fields = [{ name: "why", label: "care.identify.why", kind: "long", required: true }];
      const given = await request({ title: this.t("care.identify"), about: subject, fields, confirm: this.t("care.identify") });
      if (!given) return;
      try {
        this.known = { [subject]: await post(`/care/residents/${subject}/identity`, { why: given.why }) };
      } catch (error) {
        complain(error);
      }
    },
    forget() {
      this.known = {};
    },
  },
  template: `
    <div class="two wide-left">
      <section class="panel listing" :aria-label="t('care.residents')">
        <p v-if="!cares" class="empty">{{ t('care.only') }}</p>
        <p v-else-if="residents && !residents.length" class="empty">{{ t('care.none') }}</p>
        <ul v-else class="lines padded"><li v-for="each in residents ?? []" :key="each.subject" class="resident">
          <b class="score" :class="{ alarm: each.score >= 8 }" :title="t('care.score')">{{ each.score }}</b>
          <p><b>{{ each.reasons.map((reason) => spoken(reason)).join('、') }}</b><small class="number">{{ each.subject }}</small></p>
          <span>{{ where(each.place) }}</span>
          <span v-if="each.active" class="chip wait">{{ t('care.standing', { n: each.active }) }}</span><time>{{ ago(each.last_ms) }}</time>
          <button v-if="!known[each.subject]" @click="identify(each.subject)">{{ t('care.identify') }}</button>
          <p v-else class="identity">{{ t('care.identity', known[each.subject]) }} <button class="plain" @click="forget">{{ t('care.hide') }}</button></p></li></ul>
      </section>
      <section class="panel detail" :aria-label="t('care.places')"><h3>{{ t('care.places') }}</h3>
        <ul class="lines"><li v-for="each in communities" :key="each.place" :class="{ child: each.place.length > 9 }"><b>{{ name(each.place) }}</b>
          <span v-if="each.residents === null" class="quiet">{{ t('care.masked') }}</span><span v-else class="number">{{ each.residents }}</span></li></ul>
      </section>
    </div>`,
};
