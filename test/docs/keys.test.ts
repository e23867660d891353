import { runDocument } from "./document.js";

describe("docs/keys.md", () => {
  runDocument("docs/keys.md");
});
