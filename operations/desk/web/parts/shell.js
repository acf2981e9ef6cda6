// Every terminal's frame: what this is, whether it is the present, where one can go, and the page itself.
import { defineAsyncComponent, markRaw } from "/assets/vue.js";
import { connect, disconnect, feed, recall, stale } from "../lib/feed.js";
import { taking, keys } from "../lib/keys.js";
import { learnPlaces, name, places } from "../lib/places.js";
import { beginQueue, queue, waiting } from "../lib/queue.js";
import { go, route, routing } from "../lib/router.js";
import { can, isScreen, layout, session, signOut } from "../lib/session.js";
import { at, serverNow, moment } from "../lib/time.js";
import { complain, toasts } from "../lib/toasts.js";
import { language, speak } from "../lib/words.js";
import { PAGES } from "../pages.js";
import Ask from "./dialog.js";
import Badge from "./badge.js";
import Help from "./help.js";

const loaded = new Map();
function component(page) {
  if (!loaded.has(page.name)) loaded.set(page.name, markRaw(defineAsyncComponent(page.load)));
  return loaded.get(page.name);
}

const mayOpen = (page) => (page.layouts ?? ["desk", "phone", "touch"]).includes(layout) && (!page.needs.length || page.needs.some(can));

export default {
  components: { Ask, Badge, Help },
  data: () => ({ feed, route, session, toasts, queue, layout, language, places, asking: false }),
  setup() {
    const jumps = PAGES.filter((page) => page.key && mayOpen(page) && layout === "desk");
    taking(Object.fromEntries(jumps.map((page) => [page.key, [`page.${page.name}`, () => go(page.path.replace(/\/:.*/, ""))]])));
    return { help: () => keys };
  },
  computed: {
    stale,
    waiting: () => waiting().length,
    screen: isScreen,
    named: () => session.me && layout !== "phone" && !isScreen(),
    nav: () => PAGES.filter((page) => page.nav.includes(layout) && mayOpen(page)),
    shown: () => route.page && component(route.page),
    now: () => at(serverNow(), { seconds: layout !== "phone" }),
    heard: () => moment(feed.heardAt, Date.now()),
    district: () => name(places.district),
    title() {
      return route.page ? this.t(`page.${route.page.name}`) : "";
    },
  },
  created() {
    this.routing = routing(
      () => PAGES.filter(mayOpen),
      () => this.nav[0]?.path.replace(/\/:.*/, "") ?? "/me",
    );
    if (layout === "phone") recall();
    learnPlaces().catch(complain);
    connect();
    if (layout === "phone") beginQueue();
  },
  unmounted() {
    this.routing.stop();
    disconnect();
  },
  methods: {
    href: (page) => `#${page.path.replace(/\/:.*/, "")}`,
    leave: () => signOut().catch(complain),
    other: () => speak(language.now === "zh" ? "en" : "zh"),
    toMain() {
      this.$refs.main.focus();
    },
  },
  watch: {
    // At a touch screen people come and go: what each may see and open is another.
    "session.me.id"() {
      if (!session.me) return;
      connect();
      this.routing.read();
    },
    title: { immediate: true, handler: (title) => (document.title = `${title} · 态势 Taishi`) },
    stale: (stale) => document.body.classList.toggle("stale", stale),
  },
  template: `
    <div class="shell">
      <a class="skip" href="#main" @click.prevent="toMain">{{ t('skip') }}</a>
      <header class="head">
        <p class="brand"><b>{{ t('app.name') }}</b><span>{{ district }}</span></p>
        <h1>{{ title }}</h1>
        <slot name="head"></slot>
        <p class="present" :class="{ off: stale }"><i aria-hidden="true"></i>{{ stale ? t('live.off') : t('live') }}</p>
        <a v-if="waiting" class="chip wait" href="#/me">{{ t('queue.count', { n: waiting }) }}</a>
        <time class="clock">{{ now }}</time>
        <button class="plain language" @click="other" :lang="language.now === 'zh' ? 'en' : 'zh-CN'">{{ t('language') }}</button>
        <button v-if="layout === 'desk'" class="plain" @click="$refs.help.open()" :aria-label="t('keys.help')"><Icon name="keys" /></button>
        <button v-if="screen && layout === 'touch'" class="primary" @click="asking = true"><Icon name="person" />{{ t('screen.enter') }}</button>
        <p v-if="named" class="who"><Icon name="person" /><span>{{ session.me.name }}</span></p>
        <button v-if="named" class="plain" @click="leave" :aria-label="t('sign.out')" :title="t('sign.out')"><Icon name="leave" /></button>
      </header>
      <p v-if="stale" class="banner" role="alert"><b aria-hidden="true">⚠</b>
        {{ feed.keptAt ? t('kept', { since: heard }) : t('stale', { since: heard }) }}</p>
      <nav v-if="layout !== 'wall'" class="nav" :aria-label="t('nav')">
        <a v-for="page in nav" :key="page.name" :href="href(page)" :aria-current="route.page?.name === page.name ? 'page' : null">
          <Icon :name="page.icon" /><span>{{ t('page.' + page.name) }}</span></a>
      </nav>
      <main id="main" ref="main" tabindex="-1"><component :is="shown" v-bind="route.params" :key="route.page?.name" /></main>
      <div class="toasts" aria-live="polite">
        <p v-for="toast in toasts" :key="toast.id" class="toast" :class="toast.kind">{{ toast.text }}</p>
      </div>
      <Ask /><Help ref="help" />
      <div v-if="asking" class="overlay" role="dialog" aria-modal="true" :aria-label="t('screen.who')"><Badge @done="asking = false" /></div>
    </div>`,
};
