import { expect } from "chai";
import { explainEsp } from "../../../firmware/core/esp-error.js";

describe("an error of ESP-IDF", () => {
  it("is a sentence, by its number or its name, and keeps its name", () => {
    expect(explainEsp(0x1503)).match(
      /^the image in the slot is damaged.*revision \(ESP_ERR_OTA_VALIDATE_FAILED\)$/,
    );
    expect(explainEsp(-1)).equal("the operation failed (ESP_FAIL)");
    expect(explainEsp("ESP_ERR_NVS_NOT_ENOUGH_SPACE")).equal(
      "the settings partition is full (ESP_ERR_NVS_NOT_ENOUGH_SPACE)",
    );
    expect(explainEsp("Error: ESP_ERR_NVS_NOT_FOUND")).include("(ESP_ERR_NVS_NOT_FOUND)");
    expect(explainEsp("ESP_ERR_OTA_ROLLBACK_INVALID_STATE")).include("trial");
  });

  it("that is not known keeps its number, decimal and hexadecimal, or its text", () => {
    expect(explainEsp(5379 + 1000)).equal("error 6379 (0x18eb)");
    expect(explainEsp("mismatch")).equal("mismatch");
  });
});
