# SPDX-License-Identifier: ISC
# What configure.ac needs and autoconf does not bring.

# PB_NEED(PREFIX, MODULE, DEBIAN-PACKAGE): a library that must be there.
AC_DEFUN([PB_NEED], [
PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 was not found: on Debian, apt-get install $3])])
])

# PB_CHECK_UID(OPTION, VALUE): a uid that is no name and not root's.
AC_DEFUN([PB_CHECK_UID], [
AS_CASE([$2],
    [[[!1-9]*|*[!0-9]*|???????????*|'']], [pb_uid=0],
    [pb_uid=$2])
AS_IF([test "$pb_uid" -lt 1 || test "$pb_uid" -gt 4294967294],
    [AC_MSG_ERROR([--with-$1=$2: expected a number from 1 to 4294967294])])
])

# PB_DEFINE_PATH(NAME, PATH, DESCRIPTION): a path below one of the directories
# that configure was given.  It is in config.h, not in make's flags, so that
# what was compiled with another path is compiled again.
AC_DEFUN([PB_DEFINE_PATH], [
pb_path=`
	test "x$prefix" != xNONE || prefix=$ac_default_prefix
	test "x$exec_prefix" != xNONE || exec_prefix=$prefix
	eval "pb_path=\"$2\""
	eval "pb_path=\"$pb_path\""
	AS_ECHO(["$pb_path"])`
AC_DEFINE_UNQUOTED([$1], ["$pb_path"], [$3])
])

# PB_ADD(VARIABLE, FLAG ...): appends each flag that compiler and linker take.
AC_DEFUN([PB_ADD], [
for pb_flag in m4_normalize([$2]); do
	AC_MSG_CHECKING([whether $CC takes $pb_flag])
	pb_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror $pb_flag"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
	    [AC_MSG_RESULT([yes])
	     AS_VAR_APPEND([$1], [" $pb_flag"])],
	    [AC_MSG_RESULT([no])])
	CFLAGS=$pb_save_CFLAGS
done
])

AC_DEFUN([PB_WARNINGS], [
AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [make warnings errors])],
    [pb_werror=$enableval], [pb_werror=no])
PB_WARN_CFLAGS=
PB_ADD([PB_WARN_CFLAGS], [-Wall -Wextra -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wold-style-definition -Wundef -Wvla -Walloca
    -Wwrite-strings -Wpointer-arith -Wcast-qual -Wcast-align -Wconversion
    -Wformat=2 -Wnull-dereference -Wimplicit-fallthrough -Wswitch-enum])
AS_IF([test "$pb_werror" = yes],
    [AS_VAR_APPEND([PB_WARN_CFLAGS], [" -Werror"])])
AC_SUBST([PB_WARN_CFLAGS])
])

# Only a flag that both gcc 12 and clang 14 know is a must; the rest is taken
# where it is known.
AC_DEFUN([PB_HARDENING], [
AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening],
	[leave out what makes a fault harder to exploit])],
    [pb_hardening=$enableval], [pb_hardening=yes])
PB_HARDEN_CFLAGS= PB_HARDEN_LDFLAGS= PB_PIE_CFLAGS= PB_PIE_LDFLAGS=
AS_IF([test "$pb_hardening" = yes], [
	PB_ADD([PB_HARDEN_CFLAGS], [-fstack-protector-strong
	    -fstack-clash-protection -fcf-protection -fno-common
	    -fno-strict-aliasing -fno-strict-overflow
	    -ftrivial-auto-var-init=zero])
	PB_ADD([PB_HARDEN_LDFLAGS], [-Wl,-z,relro -Wl,-z,now
	    -Wl,-z,noexecstack -Wl,--as-needed])
	PB_PIE_CFLAGS=-fPIE PB_PIE_LDFLAGS=-pie
	AS_IF([test "${enable_sanitizers:-no}" = no],
	    [PB_HARDEN_CFLAGS="$PB_HARDEN_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"])
])
AC_SUBST([PB_HARDEN_CFLAGS])
AC_SUBST([PB_HARDEN_LDFLAGS])
AC_SUBST([PB_PIE_CFLAGS])
AC_SUBST([PB_PIE_LDFLAGS])
])

AC_DEFUN([PB_SANITIZERS], [
AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers],
	[build with AddressSanitizer and UndefinedBehaviorSanitizer; with clang, --enable-sanitizers=fuzzer also with libFuzzer])],
    [pb_sanitizers=$enableval], [pb_sanitizers=no])
PB_SAN_CFLAGS=
AS_IF([test "$pb_sanitizers" = yes],
    [PB_SAN_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"])
AS_IF([test "$pb_sanitizers" = fuzzer],
    [PB_SAN_CFLAGS="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fprofile-instr-generate -fcoverage-mapping"])
AM_CONDITIONAL([SANITIZERS], [test "$pb_sanitizers" != no])
AM_CONDITIONAL([FUZZER], [test "$pb_sanitizers" = fuzzer])
AC_SUBST([PB_SAN_CFLAGS])
])

# Filters are made by a program that runs during the build.  What the sanitizers
# call is not in the lists.
AC_DEFUN([PB_SECCOMP], [
AC_ARG_WITH([seccomp],
    [AS_HELP_STRING([--without-seccomp],
	[leave out the system call filters, which libseccomp makes during the build])],
    [], [with_seccomp=found])
pb_seccomp=no
AS_IF([test "$pb_sanitizers" != no], [pb_seccomp="no: sanitizers"],
    [test "$with_seccomp" != no], [
	PKG_CHECK_MODULES([SECCOMP], [libseccomp >= 2.5], [pb_seccomp=yes],
	    [pb_seccomp="no: libseccomp was not found: on Debian, apt-get install libseccomp-dev"])
	AS_IF([test "$cross_compiling" = yes],
	    [pb_seccomp="no: they cannot be made for another machine"])
	AS_IF([test "$with_seccomp" = yes && test "$pb_seccomp" != yes],
	    [AC_MSG_ERROR([--with-seccomp: $pb_seccomp])])
])
AM_CONDITIONAL([SECCOMP], [test "$pb_seccomp" = yes])
])
