/* SPDX-License-Identifier: MIT */
/* Numbers of the agent protocol. The specification is docs/agent-protocol.md. */
#ifndef AGENT_PROTO_H
#define AGENT_PROTO_H

#define PROTO_VERSION	  1u
#define FRAME_HEADER	  16u
#define FRAME_MAX_PAYLOAD (16u * 1024 * 1024 + 128u * 1024)
#define REPLY_BIT	  0x8000u
#define REPLY_HEADER	  8u /* status, os_error */

#define BUFFER_MAX	  (16u * 1024 * 1024 + 64u * 1024)
#define PATH_SIZE	  4096u
#define NAME_SIZE	  64u

enum op {
	OP_HELLO = 0x0001,
	OP_PING = 0x0002,
	OP_EXIT = 0x0003,
	OP_RESET = 0x0004,
	OP_SLEEP = 0x0005,
	OP_BATCH = 0x0006,
	OP_LOOP = 0x0007,
	OP_CLOCK = 0x0008,

	OP_DRIVER_LOAD = 0x0100,
	OP_DRIVER_UNLOAD = 0x0101,
	OP_DRIVER_STATUS = 0x0102,

	OP_OPEN = 0x0200,
	OP_CLOSE = 0x0201,
	OP_DUP = 0x0202,
	OP_HANDLE_SEND = 0x0203,
	OP_HANDLE_VALUE = 0x0204,
	OP_HANDLE_TAKE = 0x0205,
	OP_HANDLE_RECV = 0x02f0, /* between client 0 and a client only */

	OP_REQUEST = 0x0300,
	OP_IOCTL_RAW = 0x0301,
	OP_IOCTL_PACKETS = 0x0302, /* OS/2 */

	OP_MEM_ALLOC = 0x0400,
	OP_MEM_FREE = 0x0401,
	OP_MEM_PROTECT = 0x0402,
	OP_MEM_READ = 0x0403,
	OP_MEM_WRITE = 0x0404,
	OP_MEM_FILL = 0x0405,
	OP_MEM_MAP = 0x0406,
	OP_MEM_TOUCH = 0x0407,
	OP_MEM_MOVE = 0x0408,
	OP_MEM_TRAP = 0x0409,
	OP_MEM_UNTRAP = 0x040a,

	OP_FILE_READ = 0x0500,
	OP_FILE_WRITE = 0x0501,
	OP_FILE_LIST = 0x0502,
	OP_FILE_STAT = 0x0503,

	OP_CLIENT_START = 0x0600,
	OP_CLIENT_KILL = 0x0601,
	OP_CLIENT_READY = 0x06f0, /* only as a reply with id 0, from a client to client 0 */

	OP_DISTURB = 0x0700,
	OP_CLOSE_DURING = 0x0701,

	OP_PROCESS_WRITE = 0x0800,
	OP_DEMOTE = 0x0801,
	OP_EXEC = 0x0802,
	OP_KILLS = 0x0803,
	OP_LIVE = 0x0804,
};

enum status {
	ST_OK = 0,
	ST_BAD_FRAME = 1,
	ST_BAD_OP = 2,
	ST_BAD_PAYLOAD = 3,
	ST_BAD_VALUE = 4,
	ST_TOO_LONG = 5,
	ST_NO_MEMORY = 6,
	ST_NO_HANDLE = 7,
	ST_OS_ERROR = 8,
	ST_UNSUPPORTED = 9,
	ST_TABLE_FULL = 10,
	ST_NO_CLIENT = 16,
	ST_CLIENT_BUSY = 17,
	ST_CLIENT_DIED = 18,
	ST_CLIENT_STUCK = 19,
	ST_LATER = 0x7fffffff, /* inside the agent: the reply is sent by someone else */
};

#define OPEN_READ	 1u
#define OPEN_WRITE	 2u
#define OPEN_INHERIT	 4u /* OS/2 */
#define OPEN_OVERLAPPED	 8u /* Windows */
#define OPEN_FLAGS	 15u

#define REQ_IN_PTR	 0x01u
#define REQ_OUT_PTR	 0x02u
#define REQ_OVERLAY	 0x04u
#define REQ_RETURN_IN	 0x08u
#define REQ_NO_ARG	 0x10u
#define REQ_OVERLAPPED	 0x20u
#define REQ_CANCEL	 0x40u
#define REQ_FLAGS	 0x7fu

#define MEM_READABLE	 1u
#define MEM_WRITABLE	 2u
#define MEM_EXECUTABLE	 4u

#define MEM_GUARD	 0x01u
#define MEM_FIXED	 0x02u
#define MEM_LOW		 0x04u
#define MEM_AT_END	 0x08u
#define MEM_SHARED	 0x10u
#define MEM_FLAGS	 0x1fu

#define MAP_PRIVATE_COPY 1u

#define TOUCH_READ	 0u
#define TOUCH_WRITE	 1u
#define TOUCH_EXECUTE	 2u

#define WRITE_COPY	 0u
#define WRITE_DEBUG	 1u

#define FWRITE_CREATE	 1u
#define FWRITE_TRUNCATE	 2u
#define FWRITE_APPEND	 4u
#define FWRITE_FLAGS	 7u

#define CLIENT_INHERIT	 1u

#define BATCH_STOP	 1u

#define EXIT_CODE	 0u
#define EXIT_SIGNAL	 1u

#endif
