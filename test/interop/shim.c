/*
 * Preloaded into the foreign daemons of the interoperability tests.  It does two things:
 *
 * 1. Lets them finish a quick mode on a kernel without ESP.  Such a kernel answers every
 *    request about an ESP SA with an error although its XFRM netlink family works; those
 *    answers become "success", and the notice that an SPI reservation ran out (the SA that
 *    should have replaced it never existed) becomes a no-op.  Policies stay real, no ESP
 *    traffic flows.  On a kernel with ESP nothing is changed.
 * 2. Writes the phase 1 keys of a daemon that keeps them inside NSS (pluto) to the file
 *    named by INTEROP_KEYS, so that a capture can be decrypted: "key KEY IV" for every
 *    cipher context and "shared SECRET" for every MODP agreement, in hex.  charon prints
 *    the same in its log.
 *
 *	cc -shared -fPIC -O2 -o shim.so shim.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The next definition of a function that this file replaces. */
#define NEXT(name) ({ static __typeof__(name) *next; if (!next) next = dlsym(RTLD_NEXT, #name); next; })

static int
speaks_xfrm(int fd)
{
	int domain = 0, protocol = 0;
	socklen_t size = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == -1 || domain != AF_NETLINK)
		return 0;
	size = sizeof(protocol);
	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == NETLINK_XFRM;
}

/* Is this the answer of a kernel that cannot do ESP, or that misses an SA which we only pretended to add? */
static int
only_pretended(int request, int error)
{
	switch (request) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		return error == -EPROTONOSUPPORT || error == -ESRCH || error == -ENOSYS;
	case XFRM_MSG_DELSA:
		return error == -ESRCH;
	default:
		return 0;
	}
}

static void
pretend(int fd, void *buffer, ssize_t got, size_t room)
{
	int saved = errno, left = (int)got;
	struct nlmsghdr *header = buffer;

	if (got >= (ssize_t)sizeof(*header) && (size_t)got <= room && speaks_xfrm(fd)) {
		for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
			if (header->nlmsg_type == XFRM_MSG_EXPIRE)
				header->nlmsg_type = NLMSG_NOOP;
			else if (header->nlmsg_type == NLMSG_ERROR) {
				struct nlmsgerr *answer = NLMSG_DATA(header);

				if (only_pretended(answer->msg.nlmsg_type, answer->error))
					answer->error = 0;
			}
		}
	}
	errno = saved;
}

ssize_t
read(int fd, void *buffer, size_t size)
{
	ssize_t got = NEXT(read)(fd, buffer, size);

	pretend(fd, buffer, got, size);
	return got;
}

ssize_t
recv(int fd, void *buffer, size_t size, int flags)
{
	ssize_t got = NEXT(recv)(fd, buffer, size, flags);

	pretend(fd, buffer, got, size);
	return got;
}

ssize_t
recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *from, socklen_t *length)
{
	ssize_t got = NEXT(recvfrom)(fd, buffer, size, flags, from, length);

	pretend(fd, buffer, got, size);
	return got;
}

ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t got = NEXT(recvmsg)(fd, message, flags);

	if (message->msg_iovlen == 1)
		pretend(fd, message->msg_iov[0].iov_base, got, message->msg_iov[0].iov_len);
	return got;
}

/* What a fortified build calls in place of the above. */
ssize_t
__read_chk(int fd, void *buffer, size_t size, size_t room)
{
	return read(fd, buffer, size < room ? size : room);
}

ssize_t
__recv_chk(int fd, void *buffer, size_t size, size_t room, int flags)
{
	return recv(fd, buffer, size < room ? size : room, flags);
}

ssize_t
__recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags, struct sockaddr *from, socklen_t *length)
{
	return recvfrom(fd, buffer, size < room ? size : room, flags, from, length);
}

/* The little of NSS that is needed, so that its headers are not. */
struct sec_item {
	int type;
	unsigned char *data;
	unsigned int length;
};

static void
print_hex(FILE *file, const struct sec_item *item)
{
	for (unsigned int i = 0; i < item->length; i++)
		fprintf(file, "%02x", item->data[i]);
}

/* Appends "WORD value-of-key iv" to the file of keys. */
static void
write_key(const char *word, void *key, const struct sec_item *iv)
{
	int (*extract)(void *) = dlsym(RTLD_DEFAULT, "PK11_ExtractKeyValue");
	struct sec_item *(*value)(void *) = dlsym(RTLD_DEFAULT, "PK11_GetKeyData");
	const char *path = getenv("INTEROP_KEYS");
	struct sec_item *bytes;
	FILE *file;

	if (!path || !key || !extract || !value || extract(key) != 0 || !(bytes = value(key)))
		return;
	if (!(file = fopen(path, "a")))
		return;
	fprintf(file, "%s ", word);
	print_hex(file, bytes);
	fputc(' ', file);
	if (iv)
		print_hex(file, iv);
	fputc('\n', file);
	fclose(file);
}

void *
PK11_CreateContextBySymKey(unsigned long mechanism, unsigned long operation, void *key, const struct sec_item *iv)
{
	write_key("key", key, iv);
	return NEXT(PK11_CreateContextBySymKey)(mechanism, operation, key, iv);
}

void *
PK11_PubDerive(void *own, void *theirs, int sender, void *a, void *b, unsigned long derive, unsigned long target,
    unsigned long operation, int size, void *context)
{
	void *shared = NEXT(PK11_PubDerive)(own, theirs, sender, a, b, derive, target, operation, size, context);

	write_key("shared", shared, NULL);
	return shared;
}
