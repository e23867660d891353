/* The parts of the XS host, and what each gives the others:

     host.c ── carries out what Node asks for
       ├─ operations.c ── what XS calls in Node; waits for the answer by way of host.c's serve
       ├─ values.c ── JavaScript's values in a frame
       ├─ use.c ── memory and meter
       └─ frame.c ── bytes in and out
     platform.c ── what XS's own sources call: clock, randomness, module texts, the end

   All numbers in a frame are little-endian. Declares only. */

#ifndef SKYSLOT_XS_HOST_H
#define SKYSLOT_XS_HOST_H

#include "xsAll.h"
#include "xsScript.h"

/* ── frame.c ── */

typedef struct {
	txU1* bytes;
	txU4 length, capacity, position; /* all in bytes; position: of the next take */
} Frame;

void put(Frame* frame, const void* data, txU4 length);
void put1(Frame* frame, int value);
void put4(Frame* frame, txU4 value);
void putNumber(Frame* frame, double value);
void putText(Frame* frame, const char* text);

/* Valid until the frame is freed. Node is trusted: nothing looks whether the frame is long enough. */
const void* take(Frame* frame, txU4 length);
txU1 take1(Frame* frame);
txU4 take4(Frame* frame);
double takeNumber(Frame* frame);

/* Sends and frees. */
void sendFrame(Frame* frame);
void sendText(int kind, const char* text);
/* Waits for Node's next frame; its bytes are the caller's to free. Ends the process when Node has gone. */
void receiveFrame(Frame* frame);

/* ── values.c: all of them push onto XS's stack, or take from it ── */

/* The object that prelude.js hands over: helpers, and what both sides know by a number. */
void adoptBridge(txMachine* the, txSlot* object);
/* Calls a helper of prelude.js with the arguments that lie on the stack; leaves its result instead. Not metered. */
void callHelper(txMachine* the, const char* name, int argumentCount);
/* Writes the value on top of the stack, and pops it. */
void encodeTop(txMachine* the, Frame* frame);
void encode(txMachine* the, Frame* frame, txSlot* slot);
/* Pushes the next value of the frame. */
void decode(txMachine* the, Frame* frame);
/* Pushes an array of the next values, or what a helper makes of it. */
void decodeMany(txMachine* the, Frame* frame, const char* helper, int count);
/* Where a buffer's bytes lie; views of larger elements count as their bytes. Valid until the next allocation. */
txU1* bufferBytes(txMachine* the, txSlot* slot, txU4* length);

/* ── use.c ── */

/* Before anything runs. `turnBudget`: bytecodes that a turn may take, 0 any number. */
void beginUse(txMachine* the, txU4 turnBudget);
/* From now on measureCall looks, and ends the machine above `limitBytes` of slots and chunks together; 0: never. */
void watch(txMachine* the, txU4 limitBytes);
/* To be called at each call out of XS, and after each one into it: collects garbage and notes the peaks, if anybody watches. */
void measureCall(txMachine* the);
void sendStatistics(txMachine* the);
/* Around a turn: what the host itself runs is not counted. */
void beginMeter(txMachine* the);
void endMeter(txMachine* the);

/* ── operations.c ── */

/* Gives prelude.js `trace`, `operation` and `adopt`. */
void defineOperations(txMachine* the);

/* ── host.c ── */

/* Carries out what Node asks for; inside a call until the answer comes, outside (no `answer`) for ever. */
void serve(txMachine* the, Frame* answer);

#endif
