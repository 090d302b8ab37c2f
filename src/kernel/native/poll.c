/*
 * Readiness by uv_poll. libuv answers an error that waits on a socket (a netlink overrun, an ICMP answer) by ending the poll with
 * EBADF; such an error is taken from the socket, told, and polling goes on.
 */
#include <errno.h>
#include <stdlib.h>

#include "addon.h"

struct poller {
	struct instance *instance;
	/* NULL once stopped; the rest lives until libuv has closed the handle. */
	struct descriptor *descriptor;
	uv_poll_t *handle;
	struct poller *previous, *next;
	/* Keeps the object of the descriptor while something may be called. */
	napi_ref self;
	napi_ref on_batch, on_error, on_writable;
	struct reading reading;
	/* Nothing is watched for any more. */
	bool is_over;
	/* Wakes for an error that nothing explains, one after the other. */
	unsigned unexplained;
};

/* More of them mean a descriptor that will never be well again. */
enum { MOST_UNEXPLAINED = 16 };

static void on_poll(uv_poll_t *handle, int status, int events);

static void
forget(napi_env env, napi_ref *reference)
{
	if (*reference != NULL)
		napi_delete_reference(env, *reference);
	*reference = NULL;
}

static void
end_when_closed(struct instance *instance)
{
	/* The last thing that may be done: the environment may go with it, and the instance. */
	if (instance->is_ending && instance->pollers == NULL)
		napi_remove_async_cleanup_hook(instance->cleanup);
}

static void
on_closed(uv_handle_t *handle)
{
	struct poller *poller = uv_handle_get_data(handle);
	struct instance *instance = poller->instance;

	if (poller->previous != NULL)
		poller->previous->next = poller->next;
	else
		instance->pollers = poller->next;
	if (poller->next != NULL)
		poller->next->previous = poller->previous;
	free(poller->handle);
	free(poller);
	end_when_closed(instance);
}

void
stop_polling(struct descriptor *descriptor)
{
	struct poller *poller = descriptor->poller;

	if (poller == NULL)
		return;
	descriptor->poller = NULL;
	poller->descriptor = NULL;
	forget(poller->instance->env, &poller->on_batch);
	forget(poller->instance->env, &poller->on_error);
	forget(poller->instance->env, &poller->on_writable);
	forget(poller->instance->env, &poller->self);
	uv_close((uv_handle_t *)poller->handle, on_closed);
}

/* The thread ends: whatever is open is closed, and the loop runs until libuv has let go of it. */
void
on_environment_end(napi_async_cleanup_hook_handle handle, void *data)
{
	struct instance *instance = data;

	(void)handle;
	instance->is_ending = true;
	for (struct poller *poller = instance->pollers; poller != NULL; poller = poller->next)
		if (poller->descriptor != NULL)
			stop_polling(poller->descriptor);
	end_when_closed(instance);
}

static int
watch(struct poller *poller)
{
	int events = (poller->on_batch != NULL ? UV_READABLE : 0) | (poller->on_writable != NULL ? UV_WRITABLE : 0);

	return events == 0 || poller->is_over ? uv_poll_stop(poller->handle) : uv_poll_start(poller->handle, events, on_poll);
}

static void
call(struct poller *poller, napi_ref function, size_t count, const napi_value *values)
{
	napi_env env = poller->instance->env;
	napi_value self, callback, thrown;

	if (napi_get_reference_value(env, poller->self, &self) != napi_ok ||
	    napi_get_reference_value(env, function, &callback) != napi_ok)
		return;
	if (napi_make_callback(env, NULL, self, callback, count, values, NULL) != napi_pending_exception)
		return;
	/* As if a listener of an event had thrown it. */
	if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok)
		napi_fatal_exception(env, thrown);
}

static void
tell_error(struct poller *poller, int error, const char *syscall, bool is_over)
{
	napi_env env = poller->instance->env;
	napi_value values[2] = {make_system_error(env, error, syscall)};

	if (poller->on_error != NULL && values[0] != NULL && napi_get_boolean(env, is_over, &values[1]) == napi_ok)
		call(poller, poller->on_error, 2, values);
}

/* Tells the error; nothing is read any more. */
static void
give_up(struct poller *poller, int error, const char *syscall)
{
	poller->is_over = true;
	watch(poller);
	tell_error(poller, error, syscall, true);
}

/* Answers whether there was anything to tell. */
static bool
read_some(struct poller *poller)
{
	struct instance *instance = poller->instance;
	bool is_socket = poller->descriptor->is_socket;
	napi_value values[2];
	uint32_t count;
	int error = receive_batch(instance, poller->descriptor, &poller->reading, &values[0], &count);

	if (error != 0 && is_socket)
		tell_error(poller, error, "recvmsg", false);
	else if (error != 0)
		/* A device does not recover: its interface is gone. */
		give_up(poller, error, "read");
	else if (count > 0 && napi_create_uint32(instance->env, count, &values[1]) == napi_ok)
		call(poller, poller->on_batch, 2, values);
	return error != 0 || count > 0;
}

/*
 * The error that waits on a socket, or 0. The queue that IP_RECVERR asks for is not looked into: netlink takes MSG_ERRQUEUE for an
 * ordinary read, and its messages would be lost.
 */
static int
pending_error(const struct descriptor *descriptor)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (!descriptor->is_socket)
		return 0;
	return getsockopt(descriptor->fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

static void
on_error_wake(struct poller *poller)
{
	int error = pending_error(poller->descriptor);
	bool is_explained = error != 0;

	if (is_explained)
		tell_error(poller, error, "recvmsg", false);
	if (poller->descriptor != NULL && poller->on_batch != NULL && read_some(poller))
		is_explained = true;
	poller->unexplained = is_explained ? 0 : poller->unexplained + 1;
	if (poller->descriptor == NULL)
		return;
	if (poller->unexplained > MOST_UNEXPLAINED)
		give_up(poller, EIO, "poll");
	else
		watch(poller);
}

static void
on_poll(uv_poll_t *handle, int status, int events)
{
	struct poller *poller = uv_handle_get_data((uv_handle_t *)handle);
	napi_env env = poller->instance->env;
	napi_handle_scope scope;

	if (napi_open_handle_scope(env, &scope) != napi_ok)
		return;
	/* Every callback may close the descriptor. */
	if (status != 0) {
		on_error_wake(poller);
	} else {
		poller->unexplained = 0;
		if ((events & UV_WRITABLE) != 0 && poller->on_writable != NULL) {
			napi_ref function = poller->on_writable;

			poller->on_writable = NULL;
			watch(poller);
			call(poller, function, 0, NULL);
			forget(env, &function);
		}
		if ((events & UV_READABLE) != 0 && poller->descriptor != NULL && poller->on_batch != NULL)
			read_some(poller);
	}
	napi_close_handle_scope(env, scope);
}

static void
discard(struct poller *poller)
{
	free(poller->handle);
	free(poller);
}

/* The poller of a descriptor, made when it is first needed. Throws and answers NULL where that fails. */
static struct poller *
poller_of(napi_env env, napi_value object, struct descriptor *descriptor)
{
	struct instance *instance = descriptor->instance;
	struct poller *poller = descriptor->poller;
	int error;

	if (poller != NULL)
		return poller;
	if ((poller = calloc(1, sizeof(*poller))) == NULL ||
	    (poller->handle = calloc(1, uv_handle_size(UV_POLL))) == NULL) {
		free(poller);
		throw_system_error(env, ENOMEM, "uv_poll_init");
		return NULL;
	}
	if ((error = uv_poll_init(instance->loop, poller->handle, descriptor->fd)) != 0) {
		discard(poller);
		throw_system_error(env, -error, "uv_poll_init");
		return NULL;
	}
	uv_handle_set_data((uv_handle_t *)poller->handle, poller);
	poller->instance = instance;
	poller->descriptor = descriptor;
	poller->next = instance->pollers;
	if (instance->pollers != NULL)
		instance->pollers->previous = poller;
	instance->pollers = poller;
	descriptor->poller = poller;
	if (napi_create_reference(env, object, 1, &poller->self) != napi_ok) {
		stop_polling(descriptor);
		throw_napi_error(env);
		return NULL;
	}
	return poller;
}

/* Watches for what is wanted now. Throws where that fails. */
static napi_value
watch_or_throw(napi_env env, struct poller *poller)
{
	int error = watch(poller);

	return error == 0 ? NULL : throw_system_error(env, -error, "uv_poll_start");
}

/*
 * startReading(descriptor, maxSize, batch, onBatch, onError): onBatch(slab, count), onError(error, isOver). Once for a descriptor;
 * isOver says that nothing will be read any more.
 */
napi_value
start_reading(napi_env env, napi_callback_info info)
{
	napi_value values[5];
	struct descriptor *descriptor;
	struct poller *poller;
	int64_t max_size, batch;

	if (!take_arguments(env, info, 5, values) || (descriptor = take_descriptor(env, values[0], "poll")) == NULL ||
	    !take_integer(env, values[1], "maxSize", 1, MOST_PACKET, &max_size) ||
	    !take_integer(env, values[2], "batch", 1, MOST_BATCH, &batch) ||
	    !check_function(env, values[3], "onBatch") || !check_function(env, values[4], "onError"))
		return NULL;
	if (descriptor->poller != NULL && descriptor->poller->on_batch != NULL)
		return throw_system_error(env, EALREADY, "poll");
	if ((poller = poller_of(env, values[0], descriptor)) == NULL)
		return NULL;
	poller->reading = (struct reading){(size_t)max_size, (size_t)batch};
	NAPI_TRY(env, napi_create_reference(env, values[4], 1, &poller->on_error));
	NAPI_TRY(env, napi_create_reference(env, values[3], 1, &poller->on_batch));
	return watch_or_throw(env, poller);
}

/* onceWritable(descriptor, callback): one callback at a time. */
napi_value
once_writable(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	struct descriptor *descriptor;
	struct poller *poller;

	if (!take_arguments(env, info, 2, values) || (descriptor = take_descriptor(env, values[0], "poll")) == NULL ||
	    !check_function(env, values[1], "callback"))
		return NULL;
	if (descriptor->poller != NULL && descriptor->poller->on_writable != NULL)
		return throw_system_error(env, EALREADY, "poll");
	if ((poller = poller_of(env, values[0], descriptor)) == NULL)
		return NULL;
	NAPI_TRY(env, napi_create_reference(env, values[1], 1, &poller->on_writable));
	return watch_or_throw(env, poller);
}
