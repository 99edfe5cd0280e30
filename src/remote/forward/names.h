/* SPDX-License-Identifier: Apache-2.0 */
/* What the two sides of forwarding agree on. */
#pragma once

#define FORWARD_DIAL     "dial"     /* request: the place, as text                            */
#define FORWARD_LISTEN   "listen"   /* request: id u32, the place; back: FORWARD_LISTENS      */
#define FORWARD_ACCEPTED "accepted" /* request: id u32; the agent opens it per connection     */

enum forward_message { FORWARD_LISTENS = 1 /* port u16 */ };
