// The interactive parts of the settings page: the app's own settings as a form, the saved networks, the reset with its two questions. Markup and script for status-page.ts. Never inserts received data as markup (textContent only).

import { STATUS_STRINGS as text } from "./strings.js";

export const PANEL_STYLE = `
input[type=color]{padding:5px}
input[type=range]{padding:0;border:0;background:none}
#saved li{display:flex;gap:12px;align-items:center;justify-content:space-between;min-height:52px;overflow-wrap:anywhere}
#ask{display:flex;flex-direction:column}
#ask.turn{flex-direction:column-reverse}
#ask p{margin:16px 0 0;order:-1;outline:0}
.turn p{order:1!important}
`;

/** Reset, and the two questions before it. */
export const RESET = `<button type=button class="quiet bad" id=reset>${text.reset}</button><div id=ask role=group aria-labelledby=ask-text hidden><p id=ask-text tabindex=-1></p><button type=button class="quiet bad" id=ask-yes></button><button type=button class=quiet id=ask-no>${text.cancel}</button></div>`;
export const SAVED = `<ul id=saved></ul><p class="hint soft" id=saved-hint></p>`;
export const SECTION = `<div id=app-fields></div><p class="hint soft">${text.live}</p><p class=say id=app-say role=status></p>`;

export const PANEL_SCRIPT = `
async function ask(method, path, body) {
  const { status, value } = await prove(method, path, body);
  if (status < 300) return value;
  throw new Error(status === 401 && path.slice(-5) !== "reset" ? T.needToken : value.message || fill(T.refused, { status }));
}

function control(parent, field, value) {
  if (field.type !== "choice") {
    const type = { colour: "color", slider: "range", switch: "checkbox", secret: "password" }[field.type] || field.type;
    const input = add(parent, "input", { type, min: field.least, max: field.most, step: field.step || 1, value });
    if (field.most && type !== "number" && type !== "range") input.maxLength = field.most;
    if (type === "checkbox") {
      input.checked = value;
      return [input, () => input.checked];
    }
    return [input, () => type === "number" || type === "range" ? Number(input.value) : input.value];
  }
  const select = add(parent, "select", {});
  for (const [one, name] of field.options) add(select, "option", { textContent: name || one, selected: one === value });
  return [select, () => field.options[select.selectedIndex][0]];
}

async function drawSection(name) {
  const { title, fields, values } = await ask("GET", "/api/" + name);
  put("app-title", title);
  put("app-fields", "");
  for (const field of fields) {
    const id = "app-" + field.name, parent = $("app-fields");
    const label = add(parent, "label", { htmlFor: id, textContent: field.label });
    const [input, read] = control(parent, field, values[field.name]);
    input.id = id;
    if (field.type === "switch") {
      label.className = "check";
      label.prepend(input);
    }
    if (field.hint) {
      add(parent, "p", { className: "hint soft", id: id + "-hint", textContent: field.hint });
      input.setAttribute("aria-describedby", id + "-hint");
    }
    input.onchange = async () => {
      try {
        await ask("POST", "/api/" + name, { [field.name]: read() });
        note("app-say", T.saved);
      } catch (error) {
        note("app-say", error.message, true);
      }
    };
  }
}

async function drawSaved() {
  put("saved", "");
  put("saved-hint", "");
  try {
    const { networks } = await ask("GET", "/api/saved-networks");
    put("saved-hint", networks.length ? T.savedOrder : T.savedNone);
    for (const { ssid, inUse } of networks) {
      const item = add($("saved"), "li", {});
      add(item, "span", { textContent: ssid, dir: "auto" });
      if (inUse) {
        add(item, "span", { textContent: T.inUse, className: "soft" });
        continue;
      }
      const button = add(item, "button", { textContent: T.remove, className: "link bad", type: "button" });
      button.setAttribute("aria-label", fill(T.removeLabel, { ssid }));
      button.onclick = async () => {
        if (button.textContent === T.remove) {
          button.removeAttribute("aria-label");
          button.textContent = T.removeSure;
          return;
        }
        try {
          await ask("POST", "/api/forget-network", { ssid });
          await drawSaved();
        } catch (error) {
          put("saved-hint", error.message);
        }
      };
    }
  } catch (error) {
    put("saved-hint", error.message);
  }
}

function askReset(times) {
  $("ask").hidden = !times;
  $("ask").className = times > 1 ? "turn" : "";
  $("reset").hidden = times > 0;
  put("ask-text", times > 1 ? T.resetSure : wired ? T.wired.resetAsk : T.resetAsk);
  put("ask-yes", times > 1 ? T.resetNow : T.resetYes);
  (times ? $("ask-text") : $("reset")).focus();
  $("ask-yes").onclick = async () => {
    if (times < 2) return askReset(2);
    askReset(0);
    try {
      await ask("POST", "/api/factory-reset", {});
      note("reset-say", wired ? T.wired.resetDone : T.resetDone);
    } catch (error) {
      note("reset-say", error.message, true);
    }
  };
}
$("reset").onclick = () => askReset(1);
$("ask-no").onclick = () => askReset(0);
`;
