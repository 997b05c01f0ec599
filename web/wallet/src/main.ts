// The start: one page at a time, the app kept on the phone, then the pockets on it.
import { h } from "common/dom";
import { speak, t } from "common/i18n";
import { alone, install } from "common/start";
import { App } from "./app";
import { welcome } from "./screens/first";
import { hidden, opening } from "./screens/opening";
import { stopScreen, UI } from "./ui";

const app = new App((why) => void speaking.then(() => ui.show(stopScreen(why))));
const speaking = speak(app.lang ?? navigator.language.split("-")[0]); // before anything is said
const ui = new UI(app);

async function start() {
  await speaking;
  const stop = await app.load();
  document.documentElement.dataset.ready = "1";
  if (stop) { ui.show(stopScreen(stop)); return; }
  if (!(await alone("aidpass-wallet"))) { ui.show(stopScreen("twice")); return; }
  brought();
  ui.hide = () => hidden(ui);
  app.closed = () => void opening(ui);
  if ((await app.vault.pockets()).length) await opening(ui);
  else welcome(ui);
}

/** brought takes what the address that led here holds, and it stands there no longer: an offer, a request, or the answer to a sign-in. */
function brought() {
  const { search } = location, given = new URLSearchParams(search);
  const kind = given.has("credential_offer") || given.has("credential_offer_uri") ? "openid-credential-offer" : given.has("client_id") ? "openid4vp" : null;
  if (kind) app.brought = `${kind}://${search}`;
  else if (given.has("state")) app.back = search.slice(1);
  if (search) window.history.replaceState(null, "", location.pathname);
}

const saying = async (key: string) => {
  await speaking;
  ui.show({ name: "installing", title: t("app.title"), body: h("p", { class: "lead", id: "installing", role: "status" }, t(key)) });
};

void install(saying).then((offline) => { app.offline = offline; return start(); });
