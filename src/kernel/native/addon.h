/* What the files of the addon share. Nothing here knows a protocol: addresses, options and packets are bytes. */
#ifndef ISAKMPD_ADDON_H
#define ISAKMPD_ADDON_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "uv-poll.h"

struct poller;

/* One per environment (the main thread, or a worker). */
struct instance {
	napi_env env;
	uv_loop_t *loop;
	napi_async_cleanup_hook_handle cleanup;
	bool is_ending;
	/* All whose libuv handle is not closed yet. */
	struct poller *pollers;
	/* Where packets are received before they are copied. Reading is synchronous, so that one area serves all descriptors. */
	uint8_t *scratch;
	size_t scratch_size;
};

/* A file descriptor of ours; a JavaScript object holds it and closes it at the latest when it is collected. */
struct descriptor {
	/* -1 once closed. */
	int fd;
	/* Otherwise a TUN device. */
	bool is_socket;
	struct instance *instance;
	struct poller *poller;
};

struct bytes {
	uint8_t *data;
	size_t length;
};

/* arguments.c: all of them throw and answer false (NULL) for what does not fit. */
bool take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);
bool take_integer(napi_env env, napi_value value, const char *name, int64_t least, int64_t most, int64_t *integer);
bool take_bytes(napi_env env, napi_value value, const char *name, size_t least, size_t most, struct bytes *bytes);
bool take_text(napi_env env, napi_value value, const char *name, char *text, size_t size);
bool check_function(napi_env env, napi_value value, const char *name);
bool is_undefined(napi_env env, napi_value value);
/* An open one, for the system call that it is meant for. */
struct descriptor *take_descriptor(napi_env env, napi_value value, const char *syscall);
/* An open or a closed one. */
struct descriptor *take_any_descriptor(napi_env env, napi_value value);

/* errors.c */
napi_value make_system_error(napi_env env, int error, const char *syscall);
/* Answers NULL, as a function that throws has to. */
napi_value throw_system_error(napi_env env, int error, const char *syscall);
/* For a call of N-API that fails only when memory is short or the environment ends. */
napi_value throw_napi_error(napi_env env);

/* descriptor.c */
/* Takes the descriptor over; closes it where that fails. */
napi_value wrap_descriptor(napi_env env, int fd, bool is_socket);
struct descriptor *unwrap_descriptor(napi_env env, napi_value value);

/* poll.c */
/* Ends polling, if it was begun: no callback is called any more. */
void stop_polling(struct descriptor *descriptor);
void on_environment_end(napi_async_cleanup_hook_handle handle, void *data);

/* receive.c */
struct reading {
	size_t max_size;
	size_t batch;
};
/* What there is at once: a slab and the number of packets in it. Answers 0, or the errno; *count is 0 where nothing is there. */
int receive_batch(struct instance *instance, const struct descriptor *descriptor, const struct reading *reading,
	napi_value *slab, uint32_t *count);

/* Functions of the addon, one for each that addon.c exports. */
napi_value open_socket(napi_env env, napi_callback_info info);
napi_value bind_socket(napi_env env, napi_callback_info info);
napi_value connect_socket(napi_env env, napi_callback_info info);
napi_value set_option(napi_env env, napi_callback_info info);
napi_value steer_reuse_port(napi_env env, napi_callback_info info);
napi_value get_option(napi_env env, napi_callback_info info);
napi_value local_name(napi_env env, napi_callback_info info);
napi_value close_descriptor(napi_env env, napi_callback_info info);
napi_value send_packet(napi_env env, napi_callback_info info);
napi_value start_reading(napi_env env, napi_callback_info info);
napi_value once_writable(napi_env env, napi_callback_info info);
napi_value create_fifo(napi_env env, napi_callback_info info);
napi_value open_tun(napi_env env, napi_callback_info info);
napi_value interface_index(napi_env env, napi_callback_info info);
napi_value interface_name(napi_env env, napi_callback_info info);

/* A call of N-API that fails only when memory is short or the environment ends. */
#define NAPI_TRY(env, call) \
	do { \
		if ((call) != napi_ok) \
			return throw_napi_error(env); \
	} while (0)

enum {
	MOST_BATCH = 64,
	MOST_PACKET = 1 << 18,
	MOST_OPTION = 1 << 12
};

#endif
