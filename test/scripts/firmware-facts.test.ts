// What is read from the output files of a firmware's build, as Moddable SDK 8.2.3 writes them.

import { expect } from "chai";
import { readFacts, warnsOf } from "../../scripts/firmware-facts.js";

const MAKEFILE = `MODDABLE = /sdk
CREATION = -c 1536,512,512,64,384,32,32,53,3,1024,17,94208,firmware/apps/base/main,0

PRELOADS =\\
	-p timer.xsb\\
	-p ~.embedded/io/digital.xsb\\
	-p firmware/core/update.xsb

$(MODULES_DIR)/timer.xsb: /sdk/modules/base/timer/mc/timer.js
$(MODULES_DIR)/~.embedded/io/digital.xsb: /sdk/modules/io/digital/digital.js
$(MODULES_DIR)/package.xsb: /sdk/typings/package.json
$(MODULES_DIR)/firmware/core/update.xsb: $(TMP_DIR)/tsc/firmware/core/update/firmware/core/update.js
$(MODULES_DIR)/firmware/core/wifi.xsb: $(TMP_DIR)/tsc/firmware/core/wifi/firmware/core/wifi.js
$(MODULES_DIR)/firmware/apps/base/main.xsb: $(TMP_DIR)/tsc/firmware/apps/base/main/firmware/apps/base/main.js
`;
const LINKED = `# xsl modules
### 2199 instances, 2404 keys, 112 colors, 0 holes
### warning: embedded:network/dnssd: default() dnssd: no const
### warning: firmware/core/update: table: not frozen
`;
const SOURCE = `#include "xsPlatform.h"
#define mxAliasCount 131
#define mxHeapCount 100
static const txSlot gxHeap[mxHeapCount];
#define mxStackCount 10
#define mxKeysCount 20
#define mxNamesCount 53
#define mxSymbolsCount 3
#define mxScriptsCount 2
static const xsHostBuilder gxBuilders[5] = {
static const txU1 gxCode11[429] = {
	{ .value = { .code = { (txByte*)"\\x0c\\x01\\x00", NULL } } },
	{ .value = { .string = "Math" } },
	{ .value = { .string = "Math" } },
`;

describe("the facts about the JavaScript half of a firmware's build", () => {
  const facts = readFacts(MAKEFILE, LINKED, SOURCE);

  it("include what is in flash when the firmware starts", () => {
    expect(facts.instances).equal(2199);
    expect(facts.preloads).equal(3);
  });

  it("name the modules that are created in RAM at the start, except the main one and mere data", () => {
    expect(facts.notPreloaded).deep.equal(["firmware/core/wifi"]);
  });

  it("count slots, tables, code and each text once", () => {
    const texts = 4 + 8;
    expect(facts.flashBytes).equal(110 * 16 + 56 * 4 + 20 * 6 + 2 * 36 + 5 * 12 + 429 + texts);
  });

  it("count the pointers that XS allocates besides its heap", () => {
    expect(facts.ramBytes).equal((131 + 32 + 53 + 3) * 4);
  });

  it("separate warnings about the SDK's modules from ours", () => {
    const ours = facts.warnings.filter((warning) => !warnsOf(warning, ["embedded:network/dnssd"]));
    expect(facts.warnings).length(2);
    expect(ours).deep.equal(["### warning: firmware/core/update: table: not frozen"]);
  });

  it("are an error where the files are not as expected", () => {
    expect(() => readFacts(MAKEFILE, "", SOURCE)).throw("count of instances not found");
    expect(() => readFacts("", LINKED, SOURCE)).throw("no modules");
    expect(() => readFacts(MAKEFILE, LINKED, "")).throw("mxAliasCount not found");
  });
});
