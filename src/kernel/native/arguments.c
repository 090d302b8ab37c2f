/* What JavaScript hands in is checked here: type first (TypeError), then range (RangeError). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "addon.h"

static bool
throw_as(napi_status (*throw_error)(napi_env, const char *, const char *), napi_env env, const char *code,
	const char *format, ...)
{
	char text[256];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	throw_error(env, code, text);
	return false;
}

#define TYPE_ERROR(env, ...) throw_as(napi_throw_type_error, env, "ERR_INVALID_ARG_TYPE", __VA_ARGS__)
#define RANGE_ERROR(env, ...) throw_as(napi_throw_range_error, env, "ERR_OUT_OF_RANGE", __VA_ARGS__)

static bool
has_type(napi_env env, napi_value value, napi_valuetype wanted)
{
	napi_valuetype type;

	return napi_typeof(env, value, &type) == napi_ok && type == wanted;
}

bool
is_undefined(napi_env env, napi_value value)
{
	return has_type(env, value, napi_undefined);
}

bool
take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values)
{
	/* Those that are missing become undefined. */
	if (napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok)
		return true;
	throw_napi_error(env);
	return false;
}

bool
take_integer(napi_env env, napi_value value, const char *name, int64_t least, int64_t most, int64_t *integer)
{
	double number;

	if (!has_type(env, value, napi_number) || napi_get_value_double(env, value, &number) != napi_ok)
		return TYPE_ERROR(env, "%s must be a number", name);
	/* The negation catches NaN as well; within the range the conversion is defined. */
	if (!(number >= (double)least && number <= (double)most) || (double)(int64_t)number != number)
		return RANGE_ERROR(env, "%s must be an integer from %lld to %lld", name, (long long)least, (long long)most);
	*integer = (int64_t)number;
	return true;
}

bool
take_bytes(napi_env env, napi_value value, const char *name, size_t least, size_t most, struct bytes *bytes)
{
	bool is_array = false;
	napi_typedarray_type type;
	void *data;

	if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array ||
	    napi_get_typedarray_info(env, value, &type, &bytes->length, &data, NULL, NULL) != napi_ok ||
	    type != napi_uint8_array)
		return TYPE_ERROR(env, "%s must be a Uint8Array", name);
	if (bytes->length < least || bytes->length > most)
		return RANGE_ERROR(env, "%s must have %zu to %zu bytes, not %zu", name, least, most, bytes->length);
	bytes->data = data;
	return true;
}

bool
take_text(napi_env env, napi_value value, const char *name, char *text, size_t size)
{
	size_t length;

	if (!has_type(env, value, napi_string) ||
	    napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok)
		return TYPE_ERROR(env, "%s must be a string", name);
	if (length == 0 || length >= size)
		return RANGE_ERROR(env, "%s must have 1 to %zu bytes, not %zu", name, size - 1, length);
	if (napi_get_value_string_utf8(env, value, text, size, &length) != napi_ok) {
		throw_napi_error(env);
		return false;
	}
	if (strlen(text) != length)
		return RANGE_ERROR(env, "%s must not contain a null character", name);
	return true;
}

bool
check_function(napi_env env, napi_value value, const char *name)
{
	return has_type(env, value, napi_function) || TYPE_ERROR(env, "%s must be a function", name);
}

struct descriptor *
take_any_descriptor(napi_env env, napi_value value)
{
	struct descriptor *descriptor = unwrap_descriptor(env, value);

	if (descriptor == NULL)
		TYPE_ERROR(env, "descriptor must be one that this addon has opened");
	return descriptor;
}

struct descriptor *
take_descriptor(napi_env env, napi_value value, const char *syscall)
{
	struct descriptor *descriptor = take_any_descriptor(env, value);

	if (descriptor == NULL || descriptor->fd >= 0)
		return descriptor;
	throw_system_error(env, EBADF, syscall);
	return NULL;
}
