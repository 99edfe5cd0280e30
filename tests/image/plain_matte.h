/* SPDX-License-Identifier: Apache-2.0 */
/* The textbook forms of the two filters of image/matte.h, at full size and with no tricks: what
 * the fast ones are measured against. Planar doubles. */
#pragma once

#include <math.h>
#include <stdlib.h>

#include "media/picture.h"

/* Mean over (2 × radius + 1)², fewer at the edges, by running sums in both directions. */
static void plain_box(const double *from, double *to, int width, int height, int radius)
{
    double *across = malloc(sizeof(double) * (size_t)width * (size_t)height);
    for (int y = 0; y < height; y++) {
        double sum = 0;
        for (int x = -radius; x < width; x++) {
            sum += x + radius < width ? from[y * width + x + radius] : 0;
            sum -= x - radius - 1 >= 0 ? from[y * width + x - radius - 1] : 0;
            int left = x - radius < 0 ? 0 : x - radius;
            int right = x + radius >= width ? width - 1 : x + radius;
            if (x >= 0)
                across[y * width + x] = sum / (right - left + 1);
        }
    }
    for (int x = 0; x < width; x++) {
        double sum = 0;
        for (int y = -radius; y < height; y++) {
            sum += y + radius < height ? across[(y + radius) * width + x] : 0;
            sum -= y - radius - 1 >= 0 ? across[(y - radius - 1) * width + x] : 0;
            int top = y - radius < 0 ? 0 : y - radius;
            int bottom = y + radius >= height ? height - 1 : y + radius;
            if (y >= 0)
                to[y * width + x] = sum / (bottom - top + 1);
        }
    }
    free(across);
}

static inline double plain_channel(const struct picture *picture, int i, int channel)
{
    int x = i % picture->width, y = i / picture->width;
    return picture_row(picture, y)[x * picture->channels + channel] / 255.0;
}

static inline uint8_t plain_byte(double value)
{
    value = value * 255 + 0.5;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* He, Sun, Tang: colour guide, radius in pixels, then the stretch. `coarse` has the photo's size.
 */
static void plain_refine(const struct picture *photo, const struct picture *coarse, int radius,
                         double epsilon, const struct picture *out)
{
    int w = photo->width, h = photo->height, n = w * h;
    enum { PLANES = 17 };
    double *planes[PLANES];
    for (int k = 0; k < PLANES; k++)
        planes[k] = malloc(sizeof(double) * (size_t)n);
    for (int i = 0; i < n; i++) {
        double c[3], p = plain_channel(coarse, i, 0);
        for (int k = 0; k < 3; k++)
            planes[k][i] = c[k] = plain_channel(photo, i, k);
        planes[3][i] = p;
        for (int k = 0; k < 3; k++)
            planes[4 + k][i] = c[k] * p;
        for (int k = 0, at = 7; k < 3; k++)
            for (int m = k; m < 3; m++)
                planes[at++][i] = c[k] * c[m];
    }
    for (int k = 0; k < 13; k++)
        plain_box(planes[k], planes[k], w, h, radius);
    for (int i = 0; i < n; i++) {
        double mean[3], p = planes[3][i], cov[3], s[3][3], inverse[3][3];
        for (int k = 0; k < 3; k++)
            mean[k] = planes[k][i];
        for (int k = 0, at = 7; k < 3; k++)
            for (int m = k; m < 3; m++, at++)
                s[k][m] = s[m][k] = planes[at][i] - mean[k] * mean[m] + (k == m ? epsilon : 0);
        for (int k = 0; k < 3; k++)
            cov[k] = planes[4 + k][i] - mean[k] * p;
        double det = 0;
        for (int k = 0; k < 3; k++) {
            for (int m = 0; m < 3; m++) {
                int a = (k + 1) % 3, b = (k + 2) % 3, c = (m + 1) % 3, d = (m + 2) % 3;
                inverse[m][k] = s[a][c] * s[b][d] - s[a][d] * s[b][c];
            }
            det += s[0][k] *
                   (s[1][(k + 1) % 3] * s[2][(k + 2) % 3] - s[1][(k + 2) % 3] * s[2][(k + 1) % 3]);
        }
        double offset = p;
        for (int k = 0; k < 3; k++) {
            double slope = 0;
            for (int m = 0; m < 3; m++)
                slope += inverse[k][m] * cov[m] / det;
            planes[13 + k][i] = slope;
            offset -= slope * mean[k];
        }
        planes[16][i] = offset;
    }
    for (int k = 13; k < 17; k++)
        plain_box(planes[k], planes[k], w, h, radius);
    for (int i = 0; i < n; i++) {
        double value = planes[16][i];
        for (int k = 0; k < 3; k++)
            value += planes[13 + k][i] * plain_channel(photo, i, k);
        picture_row(out, i / w)[i % w] = plain_byte((value - 0.12) / (0.88 - 0.12));
    }
    for (int k = 0; k < PLANES; k++)
        free(planes[k]);
}

/* One round of blur fusion on one channel: foreground and background become better. */
static void plain_fuse(const double *photo, const double *alpha, double *front, double *back,
                       int width, int height, int radius)
{
    size_t n = (size_t)width * (size_t)height;
    double *sums[4];
    for (int k = 0; k < 4; k++)
        sums[k] = malloc(sizeof(double) * n);
    for (size_t i = 0; i < n; i++) {
        sums[0][i] = front[i] * alpha[i];
        sums[1][i] = alpha[i];
        sums[2][i] = back[i] * (1 - alpha[i]);
        sums[3][i] = 1 - alpha[i];
    }
    for (int k = 0; k < 4; k++)
        plain_box(sums[k], sums[k], width, height, radius);
    for (size_t i = 0; i < n; i++) {
        double f = sums[0][i] / (sums[1][i] + 1e-5), b = sums[2][i] / (sums[3][i] + 1e-5);
        double value = f + alpha[i] * (photo[i] - alpha[i] * f - (1 - alpha[i]) * b);
        front[i] = value < 0 ? 0 : value > 1 ? 1 : value;
        back[i] = b;
    }
    for (int k = 0; k < 4; k++)
        free(sums[k]);
}

static void plain_foreground(const struct picture *photo, const struct picture *matte, int wide,
                             int narrow, const struct picture *out)
{
    int n = photo->width * photo->height;
    double *planes[4];
    for (int k = 0; k < 4; k++)
        planes[k] = malloc(sizeof(double) * (size_t)n);
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < n; i++) {
            planes[0][i] = planes[2][i] = planes[3][i] = plain_channel(photo, i, c);
            planes[1][i] = plain_channel(matte, i, 0);
        }
        plain_fuse(planes[0], planes[1], planes[2], planes[3], photo->width, photo->height, wide);
        plain_fuse(planes[0], planes[1], planes[2], planes[3], photo->width, photo->height, narrow);
        for (int i = 0; i < n; i++)
            picture_row(out, i / photo->width)[3 * (i % photo->width) + c] =
                plain_byte(planes[2][i]);
    }
    for (int k = 0; k < 4; k++)
        free(planes[k]);
}
