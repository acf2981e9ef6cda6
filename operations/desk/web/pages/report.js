// What somebody on the spot has seen: what it is, where, a photo. On a phone it waits for a connection by itself.
import { post } from "../lib/api.js";
import { sendPhoto, told } from "../lib/casework.js";
import { caseWords, learnCaseWords } from "../lib/casewords.js";
import { places } from "../lib/places.js";
import { submit } from "../lib/queue.js";
import { go } from "../lib/router.js";
import { layout, session } from "../lib/session.js";
import { complain, say } from "../lib/toasts.js";

const SHOWN = 12; // digits of a community's code, the smallest place that is chosen by name

export default {
  data: () => ({ caseWords, category: "", title: "", description: "", place: "", point: null, photo: null, problem: "", busy: false, layout }),
  created() {
    learnCaseWords().catch(complain);
    this.locate();
  },
  computed: {
    options() {
      const mine = (code) => session.me.places.some((place) => code.startsWith(place) || place.startsWith(code));
      return Object.entries(places.names).filter(([code]) => code.length === SHOWN && mine(code));
    },
    located: (self) => self.point && `${self.point.latitude.toFixed(5)}, ${self.point.longitude.toFixed(5)}`,
  },
  methods: {
    locate() {
      if (layout === "desk" || !navigator.geolocation) return;
      const found = ({ coords: { longitude, latitude } }) => (this.point = { longitude, latitude });
      navigator.geolocation.getCurrentPosition(found, () => (this.point = null), { enableHighAccuracy: true, timeout: 10_000 });
    },
    took(event) {
      const [file] = event.target.files;
      this.photo = file ?? null;
    },
    async send() {
      this.busy = true;
      const body = {
        title: this.title, category: this.category, description: this.description, ...(this.point ?? { place: this.place }),
        evidence: this.photo ? [await sendPhoto(this.photo, this.title)] : [],
      };
      try {
        if (layout === "phone") return this.after(told(this.t("report.done"), await submit({ label: this.t("page.report"), title: this.title }, "/cases", body, "id", false)));
        const opened = await post("/cases", body);
        say(this.t(`report.${opened.how}`, { id: opened.case.case.id }));
        go(`/cases/${opened.case.case.id}`);
      } catch (error) {
        complain(error);
      } finally {
        this.busy = false;
      }
    },
    after(sent) {
      go(sent ? "/cases" : "/me");
    },
  },
  template: `
    <form class="panel report" @submit.prevent="send">
      <fieldset><legend>{{ t('case.category') }}</legend><div class="options">
        <label v-for="each in caseWords.categories" :key="each.code"><input type="radio" name="category" :value="each.code" v-model="category" required /><span>{{ each.name }}</span></label></div></fieldset>
      <label class="field"><span>{{ t('report.title') }}<small>{{ t('required') }}</small></span><input v-model.trim="title" name="title" required maxlength="200" /></label>
      <label class="field"><span>{{ t('report.more') }}</span><textarea v-model.trim="description" name="description" rows="3" maxlength="4000"></textarea></label>
      <p v-if="point" class="located"><Icon name="flag" />{{ t('report.here') }} <span class="number">{{ located }}</span>
        <button type="button" class="plain" @click="point = null">{{ t('report.elsewhere') }}</button></p>
      <label v-else class="field"><span>{{ t('alerts.place') }}<small>{{ t('required') }}</small></span>
        <select v-model="place" name="place" required><option v-for="[code, name] in options" :key="code" :value="code">{{ name }}</option></select></label>
      <label class="field photo"><span>{{ t('case.photo') }}</span><input type="file" accept="image/*" capture="environment" @change="took" />
        <small>{{ t('case.photo.hint') }}</small></label>
      <button class="primary big" :disabled="busy">{{ t('report.send') }}</button>
    </form>`,
};
