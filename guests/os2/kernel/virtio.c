/* SPDX-License-Identifier: MIT */
/* PCI, and what all virtio devices have. */
#include "virtio.h"
#include "memory.h"

#define PCI_ADDRESS   0xCF8
#define PCI_DATA      0xCFC
#define PCI_DEVICES   32
#define PCI_COMMAND   0x04
#define PCI_BAR	      0x10
#define PCI_INTERRUPT 0x3C
#define PORTS_MASTER  0x05 /* answers in ports, reads and writes memory */
#define VENDOR	      0x1AF4

/* Registers */
#define DEVICE_FEATURES 0
#define DRIVER_FEATURES 4
#define QUEUE_PAGE	8
#define QUEUE_SIZE	12
#define QUEUE_SELECT	14
#define QUEUE_NOTIFY	16
#define STATE		18
#define INTERRUPT	19
#define CONFIG		20

#define SEEN_DRIVER	3
#define READY		7
#define WRITABLE	2

static uint32_t pci_read(unsigned device, unsigned offset)
{
	out32(PCI_ADDRESS, 0x80000000u | device << 11 | offset);
	return in32(PCI_DATA);
}

static void pci_write(unsigned device, unsigned offset, uint32_t value)
{
	out32(PCI_ADDRESS, 0x80000000u | device << 11 | offset);
	out32(PCI_DATA, value);
}

bool virtio_find(struct virtio_device *d, uint16_t pci_device, uint32_t features)
{
	unsigned at = 0;

	while (at < PCI_DEVICES && pci_read(at, 0) != ((uint32_t)pci_device << 16 | VENDOR))
		at++;
	if (at == PCI_DEVICES || !(pci_read(at, PCI_BAR) & 1))
		return false;
	d->base = (uint16_t)(pci_read(at, PCI_BAR) & ~3u);
	d->irq = (uint8_t)pci_read(at, PCI_INTERRUPT);
	pci_write(at, PCI_COMMAND, PORTS_MASTER);
	out8(d->base + STATE, 0);
	out8(d->base + STATE, SEEN_DRIVER);
	features &= in32(d->base + DEVICE_FEATURES);
	out32(d->base + DRIVER_FEATURES, features);
	return true;
}

void virtio_ready(const struct virtio_device *d)
{
	out8(d->base + STATE, READY);
}

uint32_t virtio_config(const struct virtio_device *d, unsigned offset)
{
	return in32((uint16_t)(d->base + CONFIG + offset));
}

bool virtio_interrupted(const struct virtio_device *d)
{
	return in8(d->base + INTERRUPT) & 1;
}

bool queue_make(struct queue *q, const struct virtio_device *d, uint16_t number)
{
	uint32_t head, all, rings;

	memset(q, 0, sizeof(*q));
	out16(d->base + QUEUE_SELECT, number);
	q->size = in16(d->base + QUEUE_SIZE);
	if (q->size < QUEUE_BUFFERS)
		return false;
	head = page_up(q->size * sizeof(struct descriptor) + sizeof(uint16_t) * (3u + q->size));
	all = head + page_up(sizeof(uint16_t) * 3 + q->size * sizeof(struct used_element));
	rings = frames_take((all >> PAGE_SHIFT) + QUEUE_BUFFERS);
	if (rings == NO_FRAME)
		return false;
	memset(seen(rings), 0, all);
	q->device = d;
	q->number = number;
	q->descriptors = seen(rings);
	q->available = (void *)(q->descriptors + q->size);
	q->used = seen(rings + head);
	q->buffers = seen(rings + all);
	q->free = (uint32_t)((1ull << QUEUE_BUFFERS) - 1);
	q->there = true;
	out32(d->base + QUEUE_PAGE, rings >> PAGE_SHIFT);
	return true;
}

void queue_give(struct queue *q, unsigned buffer, uint32_t length, bool writable)
{
	q->free &= ~(1u << buffer);
	q->descriptors[buffer] = (struct descriptor){physical_of(queue_buffer(q, buffer)), length,
						     writable ? WRITABLE : 0, 0};
	q->available->ring[q->available->index % q->size] = (uint16_t)buffer;
	__asm__ volatile("" ::: "memory");
	q->available->index++;
	out16(q->device->base + QUEUE_NOTIFY, q->number);
}

int queue_done(struct queue *q, uint32_t *length)
{
	volatile struct used_element *element = &q->used->ring[q->seen % q->size];

	if (q->seen == q->used->index)
		return -1;
	__asm__ volatile("" ::: "memory");
	q->seen++;
	*length = element->length;
	return (int)(element->id % QUEUE_BUFFERS);
}

int queue_free(const struct queue *q)
{
	return q->free ? __builtin_ctz(q->free) : -1;
}
