/*
 * The part of libuv that the addon uses, declared here because uv.h is not among the N-API headers. libuv keeps its ABI
 * within version 1; structures are opaque and sized by libuv itself, so that no layout is assumed.
 */
#ifndef ISAKMPD_UV_POLL_H
#define ISAKMPD_UV_POLL_H

#include <stddef.h>

typedef struct uv_loop_s uv_loop_t;
typedef struct uv_handle_s uv_handle_t;
typedef struct uv_poll_s uv_poll_t;

/* uv_handle_type; the addon checks its name when it is loaded. */
enum { UV_POLL = 8 };
/* uv_poll_event */
enum { UV_READABLE = 1, UV_WRITABLE = 2 };

size_t uv_handle_size(int type);
const char *uv_handle_type_name(int type);
void uv_handle_set_data(uv_handle_t *handle, void *data);
void *uv_handle_get_data(const uv_handle_t *handle);
void uv_close(uv_handle_t *handle, void (*on_close)(uv_handle_t *handle));

int uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd);
int uv_poll_start(uv_poll_t *handle, int events, void (*on_poll)(uv_poll_t *handle, int status, int events));
int uv_poll_stop(uv_poll_t *handle);

char *uv_err_name_r(int error, char *text, size_t size);
char *uv_strerror_r(int error, char *text, size_t size);

#endif
