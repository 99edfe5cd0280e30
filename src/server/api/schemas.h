/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON schemas of what the API answers, as the text of OpenAPI's components.schemas. */
#pragma once

extern const char api_schemas[];
