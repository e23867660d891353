// `npm run bench [-- platform|update|server|mesh]`: benchmarks. Every figure is printed with a reference measured in the same run, since a
// ratio means more than a time on a shared machine. Nothing here is a test: no figure makes it fail.

const [what = "platform"] = process.argv.slice(2);
if (what === "platform") await import("./platform.js");
else if (what === "update") await import("./update.js");
else if (what === "server") await import("./server/run.js");
else if (what === "mesh") await import("./mesh.js");
else {
  console.error(`there is no bench "${what}": use platform (the default), update, server or mesh`);
  process.exitCode = 2;
}
