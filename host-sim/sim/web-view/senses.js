// What a device hears, with a hand at it: a pin that can be driven high or low, as a button or a motion sensor does, and the climate around a sensor.

const known = new Map();

document.addEventListener("sense", ({ detail }) => {
  const { type, device, pin, card } = detail;
  const name = `${device} ${pin}`;
  const senses = card.querySelector(".senses");
  senses.hidden = false;
  if (!known.has(name)) known.set(name, (type === "input" ? newInput : newClimate)(senses, detail));
  known.get(name)(detail);
});

function newInput(senses, { device, pin }) {
  const button = document.createElement("button");
  button.type = "button";
  let level = 0;
  button.addEventListener("click", () => act({ type: "drive", device, pin, level: 1 - level }));
  senses.append(button);
  return (now) => {
    level = now.level;
    button.setAttribute("aria-pressed", String(level === 1));
    const text = `Pin ${pin}: ${level === 1 ? "high" : "low"}`;
    if (button.textContent !== text) button.textContent = text;
  };
}

function newClimate(senses, { device, pin }) {
  const form = document.createElement("form");
  const temperature = newNumber(form, `DHT on pin ${pin}, °C`, -40, 80);
  const humidity = newNumber(form, "humidity, %", 0, 100);
  const button = document.createElement("button");
  button.textContent = "Set";
  form.append(button);
  let isTouched = false;
  form.addEventListener("input", () => {
    isTouched = true;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    isTouched = false;
    act({
      type: "surround",
      device,
      temperatureC: temperature.valueAsNumber,
      humidityPercent: humidity.valueAsNumber,
    });
  });
  senses.append(form);
  return ({ temperatureC, humidityPercent }) => {
    if (isTouched) return;
    temperature.value = temperatureC.toFixed(1);
    humidity.value = humidityPercent.toFixed(1);
  };
}

function newNumber(form, text, min, max) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "number", step: "0.1", min, max, required: true });
  label.append(`${text} `, input);
  form.append(label);
  return input;
}

const act = (action) =>
  fetch("/act", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(action),
  });
