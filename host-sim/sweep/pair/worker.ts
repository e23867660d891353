// A worker thread of the pair's sweep: runs the ordeals that it is sent the ids of.

import { answerTasks, threadData } from "../answering.js";
import { type PairBench, runOrdeal } from "./sweep.js";

const bench = threadData() as PairBench;
answerTasks((id: string) => runOrdeal(bench, id));
