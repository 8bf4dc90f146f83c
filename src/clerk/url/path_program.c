/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/path_program.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "text/text.h"

clerk_path_program *clerk_path_program_create(apr_pool_t *pool)
{
    clerk_path_program *program = apr_pcalloc(pool, sizeof(*program));

    program->code = apr_pcalloc(pool, CLERK_PATH_PROGRAM_MAX * sizeof(*program->code));
    program->pool = pool;
    return program;
}

int clerk_path_emit(clerk_path_program *program, clerk_path_op op)
{
    clerk_path_instruction *instruction;

    if (program->length == CLERK_PATH_PROGRAM_MAX) {
        program->too_long = 1;
        program->length--;
    }
    instruction = &program->code[program->length];
    memset(instruction, 0, sizeof(*instruction));
    instruction->op = op;
    instruction->next = program->length + 1;
    return program->length++;
}

void clerk_path_emit_text(clerk_path_program *program, const char *text)
{
    for (; *text != '\0'; text++) {
        int i = clerk_path_emit(program, CLERK_PATH_CHAR);

        program->code[i].character = clerk_text_to_lower(*text);
    }
}

void clerk_path_emit_set(clerk_path_program *program, const unsigned char *set)
{
    int i = clerk_path_emit(program, CLERK_PATH_SET);

    program->code[i].set = apr_pmemdup(program->pool, set, 32);
}

/** What is still to be tried, or, with instruction -1, a slot to be put back on the way there. */
typedef struct job {
    int instruction;
    int position;
    int slot;
} job;

typedef struct machine {
    const clerk_path_program *program;
    const char *path;
    int length;
    unsigned char *visited;
    apr_array_header_t *jobs;
    int slots[2 * CLERK_PATH_CAPTURES];
} machine;

/** Whether this is the first time at that place; coming back can only fail again, as nothing looks back. */
static int visit(machine *m, int instruction, int position)
{
    apr_size_t bit = (apr_size_t)instruction * (apr_size_t)(m->length + 1) + (apr_size_t)position;
    unsigned char mask = (unsigned char)(1u << (bit & 7));

    if (m->visited[bit >> 3] & mask) {
        return 0;
    }
    m->visited[bit >> 3] |= mask;
    return 1;
}

static void push(machine *m, int instruction, int position, int slot)
{
    job *j = apr_array_push(m->jobs);

    j->instruction = instruction;
    j->position = position;
    j->slot = slot;
}

/** Follow one thread to its end, leaving the alternatives as jobs. @return whether it matched */
static int follow(machine *m, int at, int position)
{
    while (visit(m, at, position)) {
        const clerk_path_instruction *instruction = &m->program->code[at];
        unsigned char c = (unsigned char)m->path[position];

        at = instruction->next;
        switch (instruction->op) {
        case CLERK_PATH_CHAR:
            if (clerk_text_to_lower((char)c) != instruction->character || c == '\0') {
                return 0;
            }
            position++;
            break;
        case CLERK_PATH_SET:
            if (c == '\0' || !(instruction->set[c >> 3] & (1u << (c & 7)))) {
                return 0;
            }
            position++;
            break;
        case CLERK_PATH_NOT_TEXT:
            if (!strncasecmp(m->path + position, instruction->text, strlen(instruction->text))) {
                return 0;
            }
            break;
        case CLERK_PATH_SPLIT:
            push(m, instruction->other, position, 0);
            break;
        case CLERK_PATH_JUMP:
            break;
        case CLERK_PATH_SAVE:
            at = (int)(instruction - m->program->code) + 1;
            push(m, -1, m->slots[instruction->next], instruction->next);
            m->slots[instruction->next] = position;
            break;
        case CLERK_PATH_END:
            return c == '\0';
        }
    }
    return 0;
}

int clerk_path_program_match(clerk_path_captures *captures, const clerk_path_program *program, const char *path,
                             apr_pool_t *scratch)
{
    apr_size_t len = strlen(path);
    machine m;

    memset(captures, 0, sizeof(*captures));
    if (len > CLERK_PATH_MAX) {
        return 0;
    }
    m.program = program;
    m.path = path;
    m.length = (int)len;
    m.visited = apr_pcalloc(scratch, ((apr_size_t)program->length * (len + 1) >> 3) + 1);
    m.jobs = apr_array_make(scratch, 32, sizeof(job));
    memset(m.slots, -1, sizeof(m.slots));
    push(&m, 0, 0, 0);
    while (m.jobs->nelts > 0) {
        const job next = *(job *)apr_array_pop(m.jobs);

        if (next.instruction < 0) {
            m.slots[next.slot] = next.position;
        } else if (follow(&m, next.instruction, next.position)) {
            for (int i = 0; i < CLERK_PATH_CAPTURES; i++) {
                const int *slot = &m.slots[(apr_size_t)i * 2];

                if (slot[0] >= 0 && slot[1] >= slot[0]) {
                    captures->start[i] = path + slot[0];
                    captures->len[i] = (apr_size_t)(slot[1] - slot[0]);
                }
            }
            return 1;
        }
    }
    return 0;
}
