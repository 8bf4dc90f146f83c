/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_KEY_LIST_H
#define CTL_KEY_LIST_H

#include "ctl/setup.h"

/** Print the keys that an instance publishes, if one is given, and those that a state directory keeps, if that is. */
clerk_output_code clerk_key_list_run(clerk_setup *setup, const char *state_dir);

#endif
