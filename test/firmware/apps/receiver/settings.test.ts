// The settings section of the receiver's app.

import { expect } from "chai";
import {
  builtValues,
  readReceiverChoice,
  receiverSection,
} from "../../../../firmware/apps/receiver/core/settings.js";
import { HIDDEN } from "../../../../firmware/core/section.js";
import {
  changeValues,
  configured,
  MAX_SECTION_LENGTH,
  shownValues,
  storedValues,
  writeValues,
} from "../../../../firmware/core/settings/app-settings.js";

const BROKER = { address: "mqtt://192.168.1.10", topic: "home", user: "pair", password: "p/a@s%s" };
const { section } = configured(receiverSection, builtValues({ updates: "notify", mqtt: BROKER }));

function changed(change: object, values = section.defaults) {
  const result = changeValues(section, values, JSON.stringify(change));
  return result.ok ? result.value : result.failure.message;
}

describe("the settings of a receiver", () => {
  it("begin with the build's values, whose broker may be a host alone", () => {
    expect(readReceiverChoice(section.defaults)).deep.equal({
      leader: {
        installs: false,
        schedule: { startMinute: 0, endMinute: 0, notBefore: 0 },
        pollSeconds: 3_600,
      },
      told: { host: "192.168.1.10", port: 1883, user: "pair", password: "p/a@s%s", topic: "home" },
    });
    expect(builtValues({ mqtt: { address: "broker.lan" } })).deep.equal({ mqttAddress: "mqtt://broker.lan" });
    const plain = configured(receiverSection, builtValues({ mqtt: { address: "" } }));
    expect(plain.problems).deep.equal([]);
    expect(readReceiverChoice(plain.section.defaults)).deep.include({ told: undefined });
    expect(readReceiverChoice(plain.section.defaults).leader.installs).equal(true);
  });

  it("have a window of hours, an interval, and a broker", () => {
    const values = changed({
      updates: "install",
      windowFrom: 22,
      windowTo: 4,
      pollMinutes: 5,
      mqttAddress: "mqtt://b:1884",
    });
    expect(readReceiverChoice(values as never)).deep.include({
      leader: {
        installs: true,
        schedule: { startMinute: 1_320, endMinute: 240, notBefore: 0 },
        pollSeconds: 300,
      },
    });
    expect(readReceiverChoice(values as never).told).include({ host: "b", port: 1884 });
  });

  it("refuse what the receiver cannot work with", () => {
    for (const [change, sentence] of [
      [{ updates: "always" }, "one of install, notify"],
      [{ windowFrom: 24 }, "from 0 to 23"],
      [{ pollMinutes: 4 }, "from 5 to 1440"],
      [{ mqttAddress: "mqtts://b" }, "does not begin with mqtt://"],
      [{ mqttAddress: "mqtt://" }, "MQTT broker:"],
      [{ mqttAddress: "mqtt://b/topic" }, "nothing follows the port"],
      [{ mqttTopic: "home/#" }, "without #"],
      [{ mqttTopic: "+/home" }, "without +"],
      [{ mqttUser: "a\nb" }, "one line"],
    ] as const)
      expect(changed(change), JSON.stringify(change)).contain(sentence);
  });

  it("never show the password, also not in a refusal, and keep it when what is shown is sent back", () => {
    expect(shownValues(section, section.defaults)).include({ mqttPassword: HIDDEN, mqttUser: "pair" });
    const without = changed({ mqttPassword: "" }) as never;
    expect(shownValues(section, without)).include({ mqttPassword: "" });
    expect(changed({ mqttPassword: HIDDEN, windowTo: 3 })).include({ mqttPassword: "p/a@s%s", windowTo: 3 });
    const secret = "s3cret\nvalue";
    expect(changed({ mqttPassword: secret }))
      .contain("one line")
      .and.not.contain("s3cret");
    expect(changed({ mqttPassword: 1234567 })).not.contain("1234567");
  });

  it("fit into NVS, whatever is entered, and are read from it again", () => {
    const long = changed({
      mqttAddress: `mqtt://${"a".repeat(60)}.${"b".repeat(30)}`,
      mqttTopic: '"'.repeat(64),
      mqttUser: '"'.repeat(64),
      mqttPassword: "\\".repeat(64),
    }) as never;
    const text = writeValues(section, long);
    expect(text.length).below(MAX_SECTION_LENGTH);
    expect(storedValues(section, text)).deep.equal({ values: long, problems: [] });
  });

  it("lets a server change when both are updated, but not whom the receiver tells", () => {
    const owners = section.fields.filter(({ isOwners }) => isOwners).map(({ name }) => name);
    expect(owners).deep.equal(["mqttAddress", "mqttTopic", "mqttUser", "mqttPassword"]);
  });
});
