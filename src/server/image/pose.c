/* SPDX-License-Identifier: Apache-2.0 */
/* Horn's closed form: the unit quaternion of the best rotation is the eigenvector with the largest
 * eigenvalue of a symmetric 4 × 4 matrix made from the covariance of the two sets of points. */
#include "image/pose.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "media/face_mesh.h"

struct vector {
    double x, y, z;
};

/* Landmarks in the canonical face's axes: y up, z towards the camera. */
static struct vector from_landmark(const struct point3 *p)
{
    return (struct vector){(double)p->x, -(double)p->y, -(double)p->z};
}

static struct vector mean_of(const struct face *face, bool canonical)
{
    struct vector sum = {0};
    for (int i = 0; i < FACE_MESH_VERTICES; i++) {
        const struct point3 *c = &face_mesh_vertices[i];
        struct vector v = canonical ? (struct vector){(double)c->x, (double)c->y, (double)c->z}
                                    : from_landmark(&face->points[i]);
        sum.x += v.x / FACE_MESH_VERTICES;
        sum.y += v.y / FACE_MESH_VERTICES;
        sum.z += v.z / FACE_MESH_VERTICES;
    }
    return sum;
}

static void covariance(const struct face *face, double s[3][3])
{
    struct vector a0 = mean_of(face, true), b0 = mean_of(face, false);
    memset(s, 0, sizeof(double[3][3]));
    for (int i = 0; i < FACE_MESH_VERTICES; i++) {
        const struct point3 *c = &face_mesh_vertices[i];
        struct vector p = from_landmark(&face->points[i]);
        double a[3] = {(double)c->x - a0.x, (double)c->y - a0.y, (double)c->z - a0.z};
        double b[3] = {p.x - b0.x, p.y - b0.y, p.z - b0.z};
        for (int row = 0; row < 3; row++)
            for (int column = 0; column < 3; column++)
                s[row][column] += a[row] * b[column];
    }
}

/* The eigenvector of the largest eigenvalue by repeated squaring of a shifted matrix. */
static void dominant(double m[4][4], double out[4])
{
    double shift = 0;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            shift += fabs(m[i][k]);
    for (int i = 0; i < 4; i++)
        m[i][i] += shift;
    for (int round = 0; round < 24; round++) {
        double squared[4][4] = {{0}}, largest = 1e-300;
        for (int i = 0; i < 16; i++)
            for (int k = 0; k < 4; k++)
                squared[i / 4][i % 4] += m[i / 4][k] * m[k][i % 4];
        for (int i = 0; i < 16; i++)
            largest = fmax(largest, fabs(squared[i / 4][i % 4]));
        for (int i = 0; i < 16; i++)
            m[i / 4][i % 4] = squared[i / 4][i % 4] / largest;
    }
    int column = 0;
    for (int i = 1; i < 4; i++)
        if (m[i][i] > m[column][column])
            column = i;
    double length = 1e-300;
    for (int i = 0; i < 4; i++)
        length += m[i][column] * m[i][column];
    for (int i = 0; i < 4; i++)
        out[i] = m[i][column] / sqrt(length);
}

void pose_estimate(struct face *face)
{
    double s[3][3], q[4];
    covariance(face, s);
    double n[4][4] = {
        {s[0][0] + s[1][1] + s[2][2], s[1][2] - s[2][1], s[2][0] - s[0][2], s[0][1] - s[1][0]},
        {s[1][2] - s[2][1], s[0][0] - s[1][1] - s[2][2], s[0][1] + s[1][0], s[2][0] + s[0][2]},
        {s[2][0] - s[0][2], s[0][1] + s[1][0], s[1][1] - s[0][0] - s[2][2], s[1][2] + s[2][1]},
        {s[0][1] - s[1][0], s[2][0] + s[0][2], s[1][2] + s[2][1], s[2][2] - s[0][0] - s[1][1]}};
    dominant(n, q);
    double w = q[0], x = q[1], y = q[2], z = q[3];
    /* Where the face's own axes point: forward (out of the nose) gives yaw and pitch, sideways
     * gives roll. */
    double forward[3] = {2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)};
    double right[3] = {1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)};
    face->yaw = (float)atan2(forward[0], forward[2]);
    face->pitch = (float)asin(fmax(-1, fmin(1, forward[1])));
    face->roll = (float)atan2(-right[1], hypot(right[0], right[2]));
}
