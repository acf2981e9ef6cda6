// The head of every page: where one is, the district's clock, whether what is shown is simulated, and the
// banner that says when it is not the present.
//
// The dead-man layer needs nobody to show itself: a CSS animation makes it visible after six seconds, and every
// beat winds it back. It runs in the browser's compositor, so a page whose script hangs shows it too.
import { age, clock, connect, day, feed, isDead, serverNow } from "taishi-pages";

export default {
  props: { title: String, english: String, here: String, links: Array },
  template: `
    <header class="ts-head">
      <a class="ts-skip" href="#main">跳到内容 Skip to content</a>
      <div class="ts-name"><h1>{{ title }}</h1><span class="ts-en" lang="en">{{ english }}</span></div>
      <nav class="ts-nav" aria-label="页面 Pages">
        <a v-for="link in links" :key="link.href" :href="link.href" :aria-current="link.href === here ? 'page' : null">
          {{ link.chinese }}</a>
      </nav>
      <div class="ts-state">
        <span v-if="simulated" class="ts-badge ts-simulated" title="simulated">模拟数据</span>
        <span class="ts-live" :class="{ off: dead || troubled }">
          <i aria-hidden="true"></i>{{ dead ? '连接中断' : troubled ? '非实时' : '实时' }}</span>
        <time class="ts-clock" :class="{ off: dead }"><small>{{ today }}</small><b>{{ time }}</b></time>
      </div>
      <div class="ts-banner" v-if="dead || troubled" role="alert">
        <b aria-hidden="true">⚠</b>
        <span v-if="dead">连接中断，画面停在 {{ last }}，已 {{ lost }} <em lang="en">connection lost</em></span>
        <span v-else v-for="each in troubles" :key="each.english">{{ each.chinese }}
          <em lang="en">{{ each.english }}</em></span>
      </div>
      <ul class="ts-strip" v-else aria-label="数据新鲜度 Freshness">
        <li v-for="each in beat?.fresh ?? []" :key="each.domain" :class="each.state">
          <i aria-hidden="true"></i>{{ each.chinese }} <span>{{ fresh(each) }}</span></li>
      </ul>
      <div class="ts-deadman" ref="deadman" aria-hidden="true"><span>画面停止更新 Display frozen</span></div>
    </header>`,
  computed: {
    beat: () => feed.frames.beat,
    dead: () => isDead(),
    troubles() {
      if (feed.refused) return [{ chinese: "页面被拒绝", english: feed.refused }];
      return this.beat?.troubles ?? [];
    },
    troubled() {
      return this.troubles.length > 0;
    },
    simulated() {
      return this.beat?.fresh.some((each) => each.simulated) ?? false;
    },
    today: () => day(serverNow()),
    time: () => clock(serverNow()),
    last: () => (feed.beatAt ? clock(feed.beatAt) : "—"),
    lost: () => age(feed.now - (feed.beatAt || feed.openedAt)),
  },
  methods: {
    fresh(each) {
      if (each.state === "none") return "尚无数据";
      const text = `${age(serverNow() - each.end_ms)}前`;
      return `${each.state === "quiet" ? "无事件 " : ""}${text}${each.complete ? "" : " · 不全"}`;
    },
  },
  created: connect,
  watch: {
    beat() {
      for (const animation of this.$refs.deadman.getAnimations()) animation.currentTime = 0;
    },
    dead: (dead) => document.body.classList.toggle("ts-stale", dead),
    troubled: (troubled) => document.body.classList.toggle("ts-troubled", troubled),
  },
};
