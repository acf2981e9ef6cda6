// Security: incidents that stand, and the patrol rounds.
import { alerts } from "../lib/feed.js";
import { where } from "../lib/places.js";
import { ago } from "../lib/time.js";
import Rounds from "../parts/rounds.js";
import { SEVERITIES } from "../parts/severity.js";

export default {
  components: { Rounds },
  computed: {
    incidents: () =>
      [...alerts.values()]
        .filter((alert) => alert.domain === "security" && (alert.active || alert.state.latched) && !alert.state.hidden)
        .sort((one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) || other.onset_ms - one.onset_ms),
  },
  methods: { where, ago },
  template: `
    <div class="two">
      <section class="panel detail" :aria-label="t('patrol.incidents')"><h3>{{ t('patrol.incidents') }}</h3>
        <p v-if="!incidents.length" class="quiet">{{ t('patrol.no_incidents') }}</p>
        <ul class="lines"><li v-for="alert in incidents" :key="alert.id"><a :href="'#/alerts/' + alert.id"><Severity :of="alert.severity" /><b>{{ spoken(alert.title) }}</b>
          <span>{{ where(alert.place) }}</span><span v-if="alert.state.acknowledged" class="chip done">{{ alert.state.acknowledged.by }}</span><time>{{ ago(alert.onset_ms) }}</time></a></li></ul>
      </section>
      <section class="panel detail" :aria-label="t('patrol.rounds')"><h3>{{ t('patrol.rounds') }}</h3><Rounds /></section>
    </div>`,
};
