/* SPDX-License-Identifier: MIT */
/*
 * Devices after the Virtual I/O Device specification, version 1.x, by their legacy interface on
 * PCI: registers in ports, rings of descriptors in pages that the device is told the number of.
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include "kernel.h"

#define QUEUE_BUFFERS 32 /* of each queue, a page each */

struct virtio_device {
	uint16_t base;
	uint8_t irq;
};

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

struct ring_of_available {
	uint16_t flags;
	uint16_t index;
	uint16_t ring[];
};

struct used_element {
	uint32_t id;
	uint32_t length;
};

struct ring_of_used {
	uint16_t flags;
	uint16_t index;
	struct used_element ring[];
};

struct queue {
	const struct virtio_device *device;
	uint16_t number;
	uint16_t size;
	uint16_t seen; /* of what the device has used */
	bool there;
	struct descriptor *descriptors;
	volatile struct ring_of_available *available;
	volatile struct ring_of_used *used;
	uint32_t free; /* buffers that the device does not have: a bit each */
	uint8_t *buffers;
};

/* The first device of that legacy PCI number, reset and told of the driver; features that both have
 * are chosen. */
bool virtio_find(struct virtio_device *device, uint16_t pci_device, uint32_t features);
void virtio_ready(const struct virtio_device *device);
uint32_t virtio_config(const struct virtio_device *device, unsigned offset);
/* True: it was this device that interrupted. */
bool virtio_interrupted(const struct virtio_device *device);

/* With buffers of its own, which are all free. */
bool queue_make(struct queue *q, const struct virtio_device *device, uint16_t number);
static inline uint8_t *queue_buffer(const struct queue *q, unsigned buffer)
{
	return q->buffers + buffer * 4096u;
}
/* Gives a free buffer to the device, to be read or to be written. */
void queue_give(struct queue *q, unsigned buffer, uint32_t length, bool writable);
/* A buffer that the device is done with, -1: none. It is not free yet. */
int queue_done(struct queue *q, uint32_t *length);
/* A free buffer, -1: none. */
int queue_free(const struct queue *q);

#endif
