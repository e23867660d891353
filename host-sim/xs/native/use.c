/* What the machine uses: slots and chunks, stack, bytecodes. Counts, and ends a machine that is over its limit. */

#include "host.h"

static txBoolean isWatching = 0;
static txU4 bytesLimit = 0; /* of slots and chunks together; 0: none */
static txU4 slotsPeak = 0, chunksPeak = 0, bytesPeak = 0;
static unsigned long long meterTotal = 0; /* bytecodes */
static txU4 turnBudget = 0; /* bytecodes; 0: any number */

/* Without those that only the host needs. */
static txU4 slotBytes(txMachine* the) { return the->currentHeapCount * sizeof(txSlot) - grantedBytes(); }

void measureCall(txMachine* the)
{
	txU4 slots, chunks;
	if (!isWatching) return;
	fxCollectGarbage(the);
	slots = slotBytes(the);
	chunks = the->currentChunksSize;
	if (slots > slotsPeak) slotsPeak = slots;
	if (chunks > chunksPeak) chunksPeak = chunks;
	if (slots + chunks > bytesPeak) bytesPeak = slots + chunks;
	if (bytesLimit && slots + chunks > bytesLimit) fxAbort(the, XS_NOT_ENOUGH_MEMORY_EXIT);
}

void watch(txMachine* the, txU4 limitBytes)
{
	isWatching = 1;
	bytesLimit = limitBytes;
	slotsPeak = chunksPeak = bytesPeak = 0;
	measureCall(the);
}

/* The unused part of the stack is painted at the start; its peak is where the paint begins. Not what lies at its other end: XS
   uses that as scratch memory for numbers and regular expressions. */
enum { PAINT = 0xA5, UNTOUCHED_BYTES = 32 * sizeof(txSlot) };

static void paintStack(txMachine* the)
{
	memset(the->stackBottom, PAINT, (txU1*)(the->stack - 8) - (txU1*)the->stackBottom);
}

/* In slots. */
static txU4 stackPeak(txMachine* the)
{
	txU1* byte = (txU1*)the->stackTop;
	txU4 run = 0;
	while (run < UNTOUCHED_BYTES && byte > (txU1*)the->stackBottom) run = *--byte == PAINT ? run + 1 : 0;
	return ((txU1*)the->stackTop - byte - run) / sizeof(txSlot);
}

void sendStatistics(txMachine* the)
{
	Frame frame = { 0 };
	put1(&frame, '.');
	putNumber(&frame, meterTotal);
	put4(&frame, slotBytes(the));
	put4(&frame, the->currentChunksSize);
	put4(&frame, slotsPeak);
	put4(&frame, chunksPeak);
	put4(&frame, bytesPeak);
	put4(&frame, stackPeak(the));
	put4(&frame, sizeof(txSlot));
	put4(&frame, (the->maximumHeapCount + 1) * sizeof(txSlot) - grantedBytes());
	put4(&frame, the->maximumChunksSize + sizeof(txBlock));
	put4(&frame, unclaimedBytes(the));
	sendFrame(&frame);
}

static txBoolean metered(txMachine* the, txU4 index) { return 0; }

/* Each turn has a budget of bytecodes: the task watchdog's time. */
void beginMeter(txMachine* the) { fxBeginMetering(the, metered, turnBudget); }
void endMeter(txMachine* the) { meterTotal += the->meterIndex; fxEndMetering(the); }

void setTurnBudget(txU4 bytecodes) { turnBudget = bytecodes; }
void beginUse(txMachine* the) { paintStack(the); }
