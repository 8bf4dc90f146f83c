/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_DOCTOR_NETWORK_H
#define CTL_DOCTOR_NETWORK_H

#include "ctl/findings.h"

/** Examine what the server calls: key sets, the secret key, certificates, the clock, redis. */
void clerk_doctor_network(clerk_findings *doctor);

#endif
