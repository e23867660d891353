/* The parts of the XS host, and what each gives the others:

     host.c ── carries out what Node asks for
       ├─ machine.c ── the machine that firmware runs in, cloned from one in which modules were preloaded, as on a chip
       │    └─ heap.c ── memory for a machine, shared out as on a chip
       ├─ operations.c ── what XS calls in Node; waits for the answer by way of host.c's serve
       ├─ objects.c ── what both sides know by a number
       ├─ values.c ── JavaScript's values in a frame
       ├─ use.c ── memory and meter
       └─ frame.c ── bytes in and out
     platform.c ── what XS's own sources call: clock, randomness, module texts, reports, the end

   All numbers in a frame are little-endian. What the host itself needs lies outside of the machine's memory, or is given back to it
   (grantSlots), because a chip does not have it. Declares only. */

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
/* Overwrites what put4 wrote at an offset. */
void patch4(Frame* frame, txU4 offset, txU4 value);
void putNumber(Frame* frame, double value);
void putText(Frame* frame, const char* text);

/* Valid until the frame is freed. Node is trusted: nothing looks whether the frame is long enough. */
const void* take(Frame* frame, txU4 length);
txU1 take1(Frame* frame);
txU4 take4(Frame* frame);
double takeNumber(Frame* frame);
/* A copy with a NUL at its end; the caller's to free. */
char* takeText(Frame* frame);

/* Sends and frees. */
void sendFrame(Frame* frame);
void sendText(int kind, const char* text);
/* Waits for Node's next frame; its bytes are the caller's to free. Ends the process when Node has gone. */
void receiveFrame(Frame* frame);

/* ── values.c ── */

/* Writes the value on top of the stack, and pops it. */
void encodeTop(txMachine* the, Frame* frame);
void encode(txMachine* the, Frame* frame, txSlot* slot);
/* Pushes the next value of the frame. */
void decode(txMachine* the, Frame* frame);
/* Where a buffer's bytes lie; views of larger elements count as their bytes. Valid until the next allocation. */
txU1* bufferBytes(txMachine* the, txSlot* slot, txU4* length);

/* ── objects.c ── */

/* Node's object that this instance stands for, in `number`. */
txBoolean isRemote(txSlot* instance, txU4* number);
/* Pushes Node's object: the one known by that number, or a new one made after Node's description of it. */
void pushRemote(txMachine* the, txU4 number);
/* Pushes a new object of Node's class whose constructor XS has just called; the frame goes on with its number and own members. */
void newRemote(txMachine* the, Frame* frame, txSlot* target);
/* A number for a function of XS that Node may call; `self`: what its `this` always is, or null. */
txU4 rememberCallback(txMachine* the, txSlot* function, txSlot* self);
void pushCallback(txMachine* the, txU4 number);
/* What its `this` always is, or null. */
txSlot* callbackSelf(txU4 number);
/* Objects by their number, functions as -1 - number. */
void forget(txMachine* the, txInteger number);

/* ── operations.c ── */

/* Gives prelude.js `operation`, and firmware `trace`. */
void defineOperations(txMachine* the);
/* Pushes a function that calls Node's operation. `handle`: the number of the class that it constructs objects of, or NO_NUMBER.
   Takes SLOTS_OF_OPERATION slots. */
txSlot* newOperation(txMachine* the, txU4 operation, txU4 handle);
/* Whether the function is one of ours; then `handle` is its class or NO_NUMBER. */
txBoolean isOperation(txSlot* instance, txU4* handle);

enum { NO_NUMBER = 0xFFFFFFFF, SLOTS_OF_OPERATION = 4 };

/* ── machine.c ── */

/* Makes the machine that modules are preloaded in. */
txMachine* createMachine(Frame* options);
/* Imports the modules that the frame names. Throws. */
void preloadModules(txMachine* the, Frame* modules);
/* Freezes what they left, and gives the clone that firmware runs in. */
txMachine* cloneMachine(txMachine* shared);
txBoolean isPreloading(txMachine* the);
/* Carries a module's text over into the machine, for fxLoadModule. */
void loadModule(txMachine* the, txSlot* module, txID moduleID);

/* ── heap.c ── */

/* What a machine may use: one block of `staticBytes` with XS's stack in it, or an area for chunks and one for slots; 0: no limit. */
typedef struct {
	txU4 staticBytes, chunkBytes, slotBytes;
} HeapOptions;

/* For the machine that is created or cloned next. */
void useHeap(const HeapOptions* options);
/* Gives the machine slots from elsewhere for what only the host needs. */
void grantSlots(txMachine* the, txU4 count);
/* Bytes of slots that were granted. */
txU4 grantedBytes(void);
/* Bytes of the block, or of both areas, that neither slots nor chunks have ever claimed; NO_NUMBER without a limit. */
txU4 unclaimedBytes(txMachine* the);

/* ── use.c ── */

/* Bytecodes that a turn may take, 0 any number. */
void setTurnBudget(txU4 bytecodes);
/* Before anything runs in the machine. */
void beginUse(txMachine* the);
/* From now on measureCall looks, and ends the machine above `limitBytes` of slots and chunks together; 0: never. */
void watch(txMachine* the, txU4 limitBytes);
/* To be called at each call out of XS, and after each one into it: collects garbage and records the peaks, if memory is watched. */
void measureCall(txMachine* the);
void sendStatistics(txMachine* the);
/* Around a turn: what the host itself runs is not counted. */
void beginMeter(txMachine* the);
void endMeter(txMachine* the);

/* ── host.c ── */

/* Carries out what Node asks for until the answer comes to what was sent last. */
void awaitAnswer(txMachine* the, Frame* answer);

#endif
