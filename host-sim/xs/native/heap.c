/* Memory for a machine, shared out as the SDK does it on an ESP32: in one block (a manifest's "static") from whose start chunks grow
   and from whose end slots do, XS's stack at the very end; or in an area for each of the two:

     │ chunks ──►        ◄── slots │ stack │          │ chunks ──►     │          │     ◄── slots │

   A machine that has a part of its limit requests more only when collecting garbage did not help, so what was claimed shows
   what was needed. Areas, which a chip's machine has as a whole from the start, are claimed piece by piece for that reason. */

#include "host.h"

typedef struct {
	txU1* chunksEnd; /* null: without limit */
	txU1* chunksLimit; /* of an area; null: where slots start */
	txU1* slotsStart;
	txU1* slotsLimit; /* of an area; null: where chunks end */
	txU4 leastBytes; /* that were ever unclaimed */
} Heap;

static HeapOptions next;
static txU4 granted = 0; /* slots */

void useHeap(const HeapOptions* options) { next = *options; }

static txU4 roomForChunks(Heap* heap) { return (heap->chunksLimit ? heap->chunksLimit : heap->slotsStart) - heap->chunksEnd; }
static txU4 roomForSlots(Heap* heap) { return heap->slotsStart - (heap->slotsLimit ? heap->slotsLimit : heap->chunksEnd); }

static void noteClaim(Heap* heap)
{
	txU4 bytes = heap->chunksLimit ? roomForChunks(heap) + roomForSlots(heap) : roomForChunks(heap);
	if (bytes < heap->leastBytes) heap->leastBytes = bytes;
}

txU4 unclaimedBytes(txMachine* the) { return ((Heap*)the->host)->leastBytes; }
txU4 grantedBytes(void) { return granted * sizeof(txSlot); }

static txU1* newArea(txU4 bytes) { return aligned_alloc(16, (bytes + 15) & ~15); }

void fxCreateMachinePlatform(txMachine* the)
{
	Heap* heap = the->host = calloc(1, sizeof(Heap));
	heap->leastBytes = NO_NUMBER;
	if (next.staticBytes) {
		heap->chunksEnd = newArea(next.staticBytes);
		heap->slotsStart = heap->chunksEnd + next.staticBytes;
	}
	else if (next.chunkBytes) {
		heap->chunksEnd = newArea(next.chunkBytes);
		heap->chunksLimit = heap->chunksEnd + next.chunkBytes;
		heap->slotsLimit = newArea(next.slotBytes);
		heap->slotsStart = heap->slotsLimit + next.slotBytes;
	}
}

void fxDeleteMachinePlatform(txMachine* the) {}

void* fxAllocateChunks(txMachine* the, txSize size)
{
	Heap* heap = the->host;
	txBlock* block = the->firstBlock;
	txInteger more = size;
	if (!heap->chunksEnd) return malloc(size);
	/* The first block goes on: without a header of its own, and what is free at its end counts. */
	if (block) more -= sizeof(txBlock) + (block->limit - block->current);
	if (more < 0) more = 0;
	if (more > (txInteger)roomForChunks(heap)) return C_NULL;
	heap->chunksEnd += more;
	noteClaim(heap);
	if (!block) return heap->chunksEnd - size;
	/* XS adds all of the size to what it knows. */
	block->limit = (txByte*)heap->chunksEnd - size;
	the->maximumChunksSize -= size - more;
	return block->limit;
}

static txSlot* claimSlots(Heap* heap, txU4 bytes)
{
	if (bytes > roomForSlots(heap)) return C_NULL;
	heap->slotsStart -= bytes;
	noteClaim(heap);
	return (txSlot*)heap->slotsStart;
}

/* The unused end of the chunks becomes unclaimed again. */
static void shrinkChunks(txMachine* the, Heap* heap)
{
	txBlock* block = the->firstBlock;
	fxCollect(the, XS_COMPACT_FLAG | XS_ORGANIC_FLAG);
	the->maximumChunksSize -= block->limit - block->current;
	heap->chunksEnd = (txU1*)block->current;
	block->limit = block->current;
}

txSlot* fxAllocateSlots(txMachine* the, txSize count)
{
	Heap* heap = the->host;
	txU4 bytes = count * sizeof(txSlot);
	txBoolean isStack = !the->stackBottom;
	txSlot* result;
	/* The stack is in a block, but not in an area. */
	if (!heap->chunksEnd || (isStack && heap->chunksLimit)) return aligned_alloc(16, bytes);
	result = claimSlots(heap, bytes);
	if (!result && !isStack && !heap->chunksLimit) {
		shrinkChunks(the, heap);
		result = claimSlots(heap, bytes);
	}
	return result;
}

/* A machine lives as long as its process. */
void fxFreeChunks(txMachine* the, void* chunks) {}
void fxFreeSlots(txMachine* the, void* slots) {}

void grantSlots(txMachine* the, txU4 count)
{
	txSlot* heap = (txSlot*)newArea((count + 1) * sizeof(txSlot));
	txSlot** last = &the->firstHeap;
	memset(heap, 0, (count + 1) * sizeof(txSlot));
	heap->value.reference = heap + count + 1;
	for (txSlot* slot = heap + 1; slot < heap->value.reference; slot++) {
		slot->kind = XS_UNDEFINED_KIND;
		slot->next = the->freeHeap;
		the->freeHeap = slot;
	}
	while (*last) last = &(*last)->next;
	*last = heap;
	the->maximumHeapCount += count;
	granted += count;
}
