/* Frames, and the two pipes that they travel on. What is in a frame is not known here. */

#include "host.h"
#include <errno.h>

enum { FROM_NODE = 3, TO_NODE = 4 };

void put(Frame* frame, const void* data, txU4 length)
{
	if (frame->length + length > frame->capacity) {
		frame->capacity = (frame->length + length) * 2 + 64;
		frame->bytes = realloc(frame->bytes, frame->capacity);
	}
	memcpy(frame->bytes + frame->length, data, length);
	frame->length += length;
}

void put1(Frame* frame, int value) { txU1 byte = (txU1)value; put(frame, &byte, 1); }
void put4(Frame* frame, txU4 value) { put(frame, &value, 4); }
void patch4(Frame* frame, txU4 offset, txU4 value) { memcpy(frame->bytes + offset, &value, 4); }
void putText(Frame* frame, const char* text) { txU4 length = strlen(text); put4(frame, length); put(frame, text, length); }
void putNumber(Frame* frame, double value) { put(frame, &value, 8); }

const void* take(Frame* frame, txU4 length)
{
	const void* data = frame->bytes + frame->position;
	frame->position += length;
	return data;
}

txU1 take1(Frame* frame) { return *(const txU1*)take(frame, 1); }
txU4 take4(Frame* frame) { txU4 value; memcpy(&value, take(frame, 4), 4); return value; }
double takeNumber(Frame* frame) { double value; memcpy(&value, take(frame, 8), 8); return value; }

char* takeText(Frame* frame)
{
	txU4 length = take4(frame);
	char* text = malloc(length + 1);
	memcpy(text, take(frame, length), length);
	text[length] = 0;
	return text;
}

static void transfer(int descriptor, txU1* bytes, txU4 length, txBoolean writes)
{
	while (length > 0) {
		ssize_t count = writes ? write(descriptor, bytes, length) : read(descriptor, bytes, length);
		if (count < 0 && errno == EINTR) continue;
		if (count <= 0) _exit(0); /* Node has gone */
		bytes += count;
		length -= count;
	}
}

void sendFrame(Frame* frame)
{
	txU4 length = frame->length;
	transfer(TO_NODE, (txU1*)&length, 4, 1);
	transfer(TO_NODE, frame->bytes, length, 1);
	free(frame->bytes);
	memset(frame, 0, sizeof(Frame));
}

void receiveFrame(Frame* frame)
{
	memset(frame, 0, sizeof(Frame));
	transfer(FROM_NODE, (txU1*)&frame->length, 4, 0);
	frame->bytes = malloc(frame->length + 1);
	frame->bytes[frame->length] = 0;
	transfer(FROM_NODE, frame->bytes, frame->length, 0);
}

void sendText(int kind, const char* text)
{
	Frame frame = { 0 };
	put1(&frame, kind);
	putText(&frame, text);
	sendFrame(&frame);
}
