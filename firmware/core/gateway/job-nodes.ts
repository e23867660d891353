// The nodes of an order, and how far each is: a bounded table, and which of its lines the update server does not know yet. Sends nothing.

export interface JobNode {
  /** As the server is told: the id of a device of ours, or a number of painlessMesh. */
  readonly id: string;
  readonly phase: "transferring" | "staged" | "completed" | "failed";
  /** Parts of 1 KiB that it has. */
  readonly part: number;
  readonly error: string;
  /** When it was heard last, ms since the boot. */
  readonly at: number;
  /** What the server was told last; empty: nothing. */
  readonly told: string;
}

/** As many as a painlessMesh has: the memory of a gateway is that of this table. */
export const MAX_JOB_NODE_COUNT = 50;
/** A tenth of the image between two reports of one node. */
const STEP_COUNT = 10;

/** What is known of a node now; unchanged when the table is full. A node that has ended is where it is until it begins anew. */
export function withNode(
  nodes: readonly JobNode[],
  { id, phase, part, error = "", at }: Omit<JobNode, "told" | "error"> & { readonly error?: string },
): readonly JobNode[] {
  const known = nodes.find((node) => node.id === id);
  if (!known)
    return nodes.length >= MAX_JOB_NODE_COUNT ? nodes : [...nodes, { id, phase, part, error, at, told: "" }];
  const isSame = known.phase === phase && known.part === part && known.error === error;
  // one at its end goes on asking, which is no news
  if (isSame && (known.at === at || isOver(known))) return nodes;
  const changed: JobNode = { ...known, phase, part, error, at };
  return nodes.map((node) => (node === known ? changed : node));
}

/** Those of them that are still at the image have at least so many parts. */
export function nodesAt(
  nodes: readonly JobNode[],
  part: number,
  isOfThem: (id: string) => boolean,
): readonly JobNode[] {
  const isBehind = (node: JobNode) => node.phase === "transferring" && node.part < part && isOfThem(node.id);
  return nodes.some(isBehind) ? nodes.map((node) => (isBehind(node) ? { ...node, part } : node)) : nodes;
}

/** The next node of which there is news for the server. */
export const unreported = (nodes: readonly JobNode[], partCount: number): JobNode | undefined =>
  nodes.find((node) => node.told !== newsOf(node, partCount));

/** The server knows this of the node. */
export const reported = (nodes: readonly JobNode[], id: string, news: string): readonly JobNode[] =>
  nodes.map((node) => (node.id === id ? { ...node, told: news } : node));

/** What is worth a report. */
export const newsOf = ({ phase, part }: JobNode, partCount: number): string =>
  phase === "transferring" ? `${phase} ${Math.floor((part * STEP_COUNT) / partCount)}` : phase;

export const isOver = ({ phase }: JobNode): boolean => phase === "completed" || phase === "failed";

/** The body of a report. */
export const reportOf = ({ id, phase, part, error }: JobNode, partCount: number): object => ({
  node_id: id,
  status: phase,
  current_part: phase === "completed" || phase === "staged" ? partCount : Math.min(part, partCount),
  total_parts: partCount,
  ...(error === "" ? {} : { error_message: error.slice(0, MAX_ERROR_LENGTH) }),
});
const MAX_ERROR_LENGTH = 200;
