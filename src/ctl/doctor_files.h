/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_DOCTOR_FILES_H
#define CTL_DOCTOR_FILES_H

#include "ctl/findings.h"

/** Examine the files that secrets come from, and the state directory: who can read and write them. */
void clerk_doctor_files(clerk_findings *doctor);

#endif
