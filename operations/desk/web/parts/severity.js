// A severity: a shape, a colour and a word; each tells it alone.
const MARKS = { life_safety: "◆", high: "▲", medium: "●", low: "○" };
export const SEVERITIES = Object.keys(MARKS);

export default {
  props: { of: { type: String, required: true }, bare: Boolean },
  computed: { mark: (self) => MARKS[self.of] },
  template: `
    <span class="severity" :class="of"><i aria-hidden="true">{{ mark }}</i><span :class="{ sr: bare }">{{ t('severity.' + of) }}</span></span>`,
};
