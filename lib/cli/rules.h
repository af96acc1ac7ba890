/* Rules about options that exclude or need each other. */
#ifndef MIEN_CLI_RULES_H
#define MIEN_CLI_RULES_H

#include "mien/cli.h"

/* Ends the program, naming the options, where those that were given break a rule. Part of
   mien_cli_parse. Asserts that the rules name options of the program. */
void cli_check_rules(const struct mien_cli *c);

#endif
