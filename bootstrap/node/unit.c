/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/node/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/file.h"
#include "bootstrap/sys/process.h"
#include "bootstrap/sys/root.h"

#define ETC_FOLDER     "/etc/systemd/system"
#define RUN_FOLDER     "/run/systemd/system"
#define OURS	       "# Written by nodevol, which writes it anew when it differs.\n"
#define TEXT_BYTES_MAX (16 << 10)

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '_' ||
	       c == '.';
}

/*
 * basic/unit-name.c of systemd, unit_name_path_escape(): "/" is "-"; a dot in front and all that is not plain is \xNN.
 */
static int escape(const char *path, struct buf *out)
{
	bool first = true;
	int ret = 0;

	for (const char *c = path; *c && ret == 0; c++) {
		if (*c == '/') {
			while (c[1] == '/')
				c++;
			if (first || !c[1])
				continue;
			ret = buf_add(out, "-", 1);
		} else if (is_plain(*c) && !(first && *c == '.')) {
			ret = buf_add(out, c, 1);
		} else {
			ret = buf_printf(out, "\\x%02x", (unsigned char)*c);
		}
		first = false;
	}
	return ret == 0 && first ? buf_add(out, "-", 1) : ret;
}

static bool has_dots(const char *path)
{
	for (; *path; path += strcspn(path, "/")) {
		path += strspn(path, "/");
		if ((path[0] == '.' && (path[1] == '/' || !path[1])) ||
		    (path[0] == '.' && path[1] == '.' && (path[2] == '/' || !path[2])))
			return true;
	}
	return false;
}

int unit_name(const char *path, const char *suffix, char *out, size_t size, struct err *err)
{
	struct buf name CLEANUP_BUF = BUF_INIT(UNIT_NAME_MAX - 1);
	int ret;

	if (path[0] != '/' || has_dots(path))
		return err_set(err, EINVAL, "'%s' is not an absolute path without '.' and '..'", path);
	ret = escape(path, &name);
	if (ret == 0)
		ret = buf_add_text(&name, suffix);
	if (ret == -ENOMEM)
		return err_sys(err, ENOMEM, "make the name of a unit");
	if (ret < 0 || name.length >= size)
		return err_set(err, ENAMETOOLONG, "the unit of '%.80s...' would have too long a name", path);
	memcpy(out, name.data, name.length + 1);
	return 0;
}

/* A value in a unit file: "%" begins a specifier, and a line cannot hold everything. */
static int add_value(struct buf *text, const char *key, const char *value, struct err *err)
{
	size_t length = strlen(value);

	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(err, EINVAL, "'%s' has a character that no unit can hold", value);
	if (!length || value[0] == ' ' || value[length - 1] == ' ' || value[length - 1] == '\\')
		return err_set(err, EINVAL, "'%s' begins or ends with what no unit can hold", value);
	if (buf_printf(text, "%s=", key) < 0)
		goto full;
	for (const char *c = value; *c; c++)
		if (buf_add(text, "%%", *c == '%' ? 1 : 0) < 0 || buf_add(text, c, 1) < 0)
			goto full;
	if (buf_add_text(text, "\n") == 0)
		return 0;
full:
	return err_set(err, EMSGSIZE, "the unit of '%.80s' would be too long", value);
}

/* RequiresMountsFor= takes a list, so its path is quoted. */
static int add_after(struct buf *text, const char *path, struct err *err)
{
	char quoted[ROOT_PATH_MAX];

	if (strpbrk(path, "\"\\"))
		return err_set(err, EINVAL, "'%s' has a character that no list in a unit can hold", path);
	if (snprintf(quoted, sizeof(quoted), "\"%s\"", path) >= (int)sizeof(quoted))
		return err_set(err, ENAMETOOLONG, "path '%.80s...' is too long", path);
	return add_value(text, "RequiresMountsFor", quoted, err);
}

static int compose(const struct unit_mount *mount, struct buf *text, struct err *err)
{
	int ret = buf_add_text(text, OURS "[Unit]\n");

	if (ret == 0)
		ret = buf_add_text(text, "Documentation=man:ebs-mount(8)\n");
	if (ret < 0)
		return err_sys(err, -ret, "compose a unit");
	ret = add_value(text, "Description", mount->where, err);
	if (ret == 0 && mount->after)
		ret = add_after(text, mount->after, err);
	if (ret == 0 && buf_add_text(text, "\n[Mount]\n") < 0)
		ret = err_sys(err, ENOMEM, "compose a unit");
	if (ret == 0)
		ret = add_value(text, "What", mount->what, err);
	if (ret == 0)
		ret = add_value(text, "Where", mount->where, err);
	if (ret == 0)
		ret = add_value(text, "Type", mount->type, err);
	if (ret == 0)
		ret = add_value(text, "Options", mount->options, err);
	if (ret == 0 && buf_add_text(text, "\n[Install]\nWantedBy=multi-user.target\n") < 0)
		ret = err_sys(err, ENOMEM, "compose a unit");
	return ret;
}

/* Return: 1 with what is in the file, 0 when there is none, or an error. */
static int read_unit(const char *path, struct buf *out, struct err *err)
{
	int ret;

	buf_clear(out);
	ret = file_read(path, out, err);
	if (ret == -ENOENT)
		return 0;
	/* What is too long to be ours is somebody else's, and looks so. */
	return ret == 0 || ret == -EMSGSIZE ? 1 : ret;
}

static bool is_ours(const struct buf *text)
{
	return text->length >= sizeof(OURS) - 1 && memcmp(text->data, OURS, sizeof(OURS) - 1) == 0;
}

/* A file of systemd's: @folder/@name of the host whose root is @root. */
struct file {
	const char *root;
	const char *folder;
	const char *name;
};

/* Brings @file to @text. */
static int bring(const struct file *file, const struct buf *text, bool dry_run, enum unit_outcome *out,
		 struct err *err)
{
	struct buf there CLEANUP_BUF = BUF_INIT(TEXT_BYTES_MAX);
	struct root_path path;
	int ret;

	ret = root_pathf(file->root, &path, err, "%s/%s", file->folder, file->name);
	if (ret == 0)
		ret = read_unit(path.text, &there, err);
	if (ret < 0)
		return ret;
	if (ret == 1 && !is_ours(&there)) {
		*out = UNIT_FOREIGN;
		return 0;
	}
	if (ret == 1 && there.length == text->length && memcmp(there.data, text->data, text->length) == 0)
		return 0;
	*out = UNIT_WRITTEN;
	if (dry_run)
		return 0;
	ret = file_make_directories(file->root, file->folder, err);
	return ret < 0 ? ret : file_replace(path.text, text->data, text->length, 0644, err);
}

/* What systemctl enable makes. */
static int enable(const char *root, const char *name, bool dry_run, enum unit_outcome *out, struct err *err)
{
	char target[sizeof(ETC_FOLDER) + UNIT_NAME_MAX];
	char there[sizeof(target)];
	struct root_path path;
	ssize_t length;
	int ret = root_pathf(root, &path, err, "%s/%s", ETC_FOLDER "/multi-user.target.wants", name);

	if (ret < 0)
		return ret;
	snprintf(target, sizeof(target), "%s/%s", ETC_FOLDER, name);
	length = readlink(path.text, there, sizeof(there));
	if (length == (ssize_t)strlen(target) && memcmp(there, target, (size_t)length) == 0)
		return 0;
	*out = UNIT_WRITTEN;
	if (dry_run)
		return 0;
	ret = file_make_directories(root, ETC_FOLDER "/multi-user.target.wants", err);
	if (ret < 0)
		return ret;
	if (length >= 0 && unlink(path.text) < 0)
		return err_sys(err, errno, "remove '%s'", path.text);
	if (symlink(target, path.text) < 0)
		return err_sys(err, errno, "link '%s'", path.text);
	return 0;
}

static int bound_wait(const char *root, const char *what, bool dry_run, enum unit_outcome *out, struct err *err)
{
	enum unit_outcome ignored = UNIT_SAME;
	char folder[sizeof(ETC_FOLDER) + UNIT_NAME_MAX + 3];
	struct file file = { .root = root, .folder = folder, .name = "50-nodevol.conf" };
	char device[UNIT_NAME_MAX];
	struct buf text CLEANUP_BUF = BUF_INIT(TEXT_BYTES_MAX);
	int ret = unit_name(what, ".device", device, sizeof(device), err);

	if (ret < 0)
		return ret;
	snprintf(folder, sizeof(folder), "%s/%s.d", ETC_FOLDER, device);
	if (buf_printf(&text, OURS "[Unit]\nJobRunningTimeoutSec=%ds\n", UNIT_DEVICE_WAIT_S) < 0)
		return err_sys(err, ENOMEM, "compose a drop-in");
	ret = bring(&file, &text, dry_run, &ignored, err);
	/* Somebody else's file of our name bounds the wait as they like it. */
	if (ret == 0 && ignored == UNIT_WRITTEN)
		*out = UNIT_WRITTEN;
	return ret;
}

/* A unit in /etc hides one in /run. Return: 1 when there is one that is not ours, 0, or an error. */
static int is_hidden(const char *root, const char *name, struct err *err)
{
	struct buf there CLEANUP_BUF = BUF_INIT(TEXT_BYTES_MAX);
	struct root_path path;
	int ret;

	ret = root_pathf(root, &path, err, "%s/%s", ETC_FOLDER, name);
	if (ret == 0)
		ret = read_unit(path.text, &there, err);
	return ret < 0 ? ret : ret == 1 && !is_ours(&there);
}

int unit_write(const char *root, const struct unit_mount *mount, enum unit_persist persist, bool dry_run,
	       enum unit_outcome *out, struct err *err)
{
	struct buf text CLEANUP_BUF = BUF_INIT(TEXT_BYTES_MAX);
	char name[UNIT_NAME_MAX];
	struct file file = { .root = root, .folder = persist == UNIT_ETC ? ETC_FOLDER : RUN_FOLDER, .name = name };
	int ret;

	*out = UNIT_SAME;
	if (persist == UNIT_NO)
		return 0;
	ret = unit_name(mount->where, ".mount", name, sizeof(name), err);
	if (ret == 0)
		ret = compose(mount, &text, err);
	if (ret < 0)
		return ret;
	if (persist == UNIT_RUNTIME) {
		ret = is_hidden(root, name, err);
		if (ret == 1)
			*out = UNIT_FOREIGN;
		return ret ? (ret < 0 ? ret : 0) : bring(&file, &text, dry_run, out, err);
	}
	/* The bound before the unit, and the unit before what starts it: each is of use without the next. */
	if (strncmp(mount->what, "/dev/", 5) == 0)
		ret = bound_wait(root, mount->what, dry_run, out, err);
	if (ret == 0)
		ret = bring(&file, &text, dry_run, out, err);
	if (ret == 0 && *out != UNIT_FOREIGN)
		ret = enable(root, name, dry_run, out, err);
	return ret;
}

int unit_reload(const char *root, const struct deadline *deadline, struct err *err)
{
	static const char *const argv[] = { "systemctl", "daemon-reload", NULL };
	struct buf output CLEANUP_BUF = BUF_INIT(512);
	int status;
	int ret;

	/* sd_booted(3): this folder is there where systemd is what runs. */
	if (root[0] || access(RUN_FOLDER, F_OK) < 0)
		return 0;
	ret = process_run(argv, deadline, &output, &status, err);
	if (ret < 0)
		return ret;
	if (status != 0)
		return err_set(err, EIO, "systemctl daemon-reload: exit status %d: %.*s", status,
			       (int)strcspn(output.data, "\n"), output.data);
	return 0;
}
