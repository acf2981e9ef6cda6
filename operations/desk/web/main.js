// The client begins: which layout, who is signed in, and then the shell or the entrance.
import { createApp } from "/assets/vue.js";
import { Unreachable } from "./lib/api.js";
import { begin, layout, leaveWhenIdle, session } from "./lib/session.js";
import { has, language, speak, spoken, t } from "./lib/words.js";
import Icon from "./parts/icon.js";
import Severity from "./parts/severity.js";
import Shell from "./parts/shell.js";
import SignIn from "./parts/signin.js";

const SMALL = "(max-width: 700px)";
const AGAIN_MS = 2000;
const IDLE_MS = 110_000; // before the server's two minutes are over

const App = {
  components: { Shell, SignIn },
  data: () => ({ session }),
  template: `<Shell v-if="session.me" /><SignIn v-else-if="session.known" />
    <p v-else class="waiting" role="status">{{ t('loading') }}</p>`,
};

// A server that does not answer yet will; a phone goes on without it.
async function enter() {
  try {
    await begin();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    setTimeout(enter, AGAIN_MS);
  }
}

if (layout === "desk" && matchMedia(SMALL).matches) location.replace(`/m${location.hash}`);
document.body.dataset.layout = layout;
speak(language.now);
const app = createApp(App);
Object.assign(app.config.globalProperties, { t, has, spoken });
app.component("Icon", Icon).component("Severity", Severity);
app.mount("#app");
if (layout === "touch") leaveWhenIdle(IDLE_MS);
enter();
if (layout === "phone" && "serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js", { scope: "/m" });
