/* The options of a program as a list, what --help prints of them, and which is meant by a typo. */
#ifndef MIEN_CLI_HELP_H
#define MIEN_CLI_HELP_H

#include "mien/cli.h"

/* Option i of the program's table and, behind those, of the ones that it uses and of those that
   every program has; NULL behind the last. Those behind the table have no dst. */
const struct mien_option *cli_option(const struct mien_cli *c, size_t i);

/* The one with a letter or, unless name is NULL, with the long name of n bytes; NULL if there is
   none. */
const struct mien_option *cli_find_option(const struct mien_cli *c, char letter, const char *name,
                                          size_t n);

/* The long name that a mistyped one was probably meant to be, or NULL. */
const char *cli_nearest_option(const struct mien_cli *c, const char *word);

/* Prints --help. */
void cli_help(const struct mien_cli *c);

/* Prints --list-options, which --help doesn't show: the letter, the long name, the argument's name,
   the words it may be ("a|b") and the help of each option, separated by tabs. Fields that an option
   lacks are empty. */
void cli_list_options(const struct mien_cli *c);

#endif
