// The progress bar of a run: redrawn on a terminal, a line now and then elsewhere.

const BAR_WIDTH = 40;

/** @returns what is called after each step */
export function progressBar(total: number, unit: string): (doneCount: number, failureCount: number) => void {
  const { stderr } = process;
  const startedAt = Date.now();
  let shownAt = 0;
  return (doneCount, failureCount) => {
    const isOver = doneCount === total;
    if (Date.now() - shownAt < (stderr.isTTY ? 100 : 10_000) && !isOver) return;
    shownAt = Date.now();
    const filled = Math.round((doneCount / total) * BAR_WIDTH);
    const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
    const perSecond = Math.round((doneCount / Math.max(1, Date.now() - startedAt)) * 1000);
    const line = `${bar} ${doneCount}/${total} ${unit}, ${perSecond}/s, ${failureCount} failures`;
    stderr.write(stderr.isTTY && !isOver ? `\r${line}` : `${stderr.isTTY ? "\r" : ""}${line}\n`);
  };
}
