# SPDX-License-Identifier: Apache-2.0
"""The usual Python service: FastAPI on uvicorn, OpenCV for pictures and for the network.

POST /mask answers the network's mask enlarged to the photo, which is all that most of these do.
POST /refined and POST /cutout do what vmad does: the guided filter of opencv-contrib with the same
radius and epsilon, and the foreground's own colour by blur fusion, as its authors published it."""
import os
import threading

import cv2
import numpy as np
from fastapi import FastAPI, File, UploadFile
from fastapi.responses import Response

cv2.setNumThreads(1)  # requests run side by side
app = FastAPI()
local = threading.local()


def network():
    if not hasattr(local, "net"):
        local.net = cv2.dnn.readNetFromONNX(os.environ["MODEL"])
    return local.net


def decode(image):
    return cv2.imdecode(np.frombuffer(image.file.read(), np.uint8), cv2.IMREAD_COLOR)


def coarse(photo):
    net = network()
    net.setInput(cv2.dnn.blobFromImage(photo, 1 / 255, (256, 256), swapRB=True))
    return cv2.resize(net.forward()[0, 0], photo.shape[1::-1])


def stretched(mask):
    return np.clip((mask - 0.12) * (255 / 0.76), 0, 255).astype(np.uint8)


def refined(photo):
    unit = photo.astype(np.float32) * (1 / 255)
    return unit, stretched(cv2.ximgproc.guidedFilter(unit, coarse(photo), 8, 4e-4))


def fusion(photo, front, back, alpha, size):
    blurred = cv2.blur(alpha, (size, size))[:, :, None]
    alpha = alpha[:, :, None]
    front = cv2.blur(front * alpha, (size, size)) / (blurred + 1e-5)
    back = cv2.blur(back * (1 - alpha), (size, size)) / (1 - blurred + 1e-5)
    return np.clip(front + alpha * (photo - alpha * front - (1 - alpha) * back), 0, 1), back


def png(picture):
    # OpenCV's own choice of level and filter, which is its fastest.
    return Response(cv2.imencode(".png", picture)[1].tobytes(), media_type="image/png")


@app.post("/mask")
def mask(image: UploadFile = File(...)):
    return png(stretched(coarse(decode(image))))


@app.post("/refined")
def refined_mask(image: UploadFile = File(...)):
    return png(refined(decode(image))[1])


@app.post("/cutout")
def cutout(image: UploadFile = File(...)):
    photo, matte = refined(decode(image))
    alpha = matte.astype(np.float32) * (1 / 255)
    front, back = fusion(photo, photo, photo, alpha, 90)
    front, _ = fusion(photo, front, back, alpha, 6)
    return png(np.dstack([(front * 255).astype(np.uint8), matte]))
