// SPDX-License-Identifier: Apache-2.0
// A gateway that only pretends: it speaks the API of the page with canned answers, so that the page
// can be worked on and tested where no vmad is built. Words in the message choose what happens:
//   more than 120 characters take ten seconds · [fail] the job fails · [busy] 503 the first time · [bad] 422 about text
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml',
  '.png': 'image/png', '.jpg': 'image/jpeg', '.webp': 'image/webp', '.webmanifest': 'application/manifest+json',
};
const CSP = "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const FILE_NAME = '2026-11-23 Hello.mp4';
const STAGES = [[0, 'faces'], [15, 'cutout'], [35, 'speech'], [50, 'render'], [90, 'encode']];

const VOICES = [
  ['ja-mei', 'ja', '芽衣', '明るく親しみやすい声', 'Mei', 'Bright and friendly'],
  ['ja-haruka', 'ja', '遥', '落ち着いたやさしい声', 'Haruka', 'Calm and gentle'],
  ['ja-takumi', 'ja', '匠', '低く頼もしい声', 'Takumi', 'Deep and steady'],
  ['ja-sora', 'ja', '空', '元気な若い声', 'Sora', 'Young and lively'],
  ['en-clara', 'en', 'クララ', 'やわらかな声', 'Clara', 'Soft and warm'],
  ['en-james', 'en', 'ジェームズ', '落ち着いた低い声', 'James', 'Low and calm'],
];

function media() {
  const folder = mkdtempSync(join(tmpdir(), 'stand-in-'));
  const make = (...args) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args]);
  const video = join(folder, 'video.mp4');
  make('-f', 'lavfi', '-i', 'testsrc2=s=512x512:r=25:d=3', '-f', 'lavfi', '-i', 'sine=440:d=3', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-movflags', '+faststart', video);
  make('-f', 'lavfi', '-i', 'sine=330:d=1', join(folder, 'voice.wav'));
  make('-i', video, '-frames:v', '1', join(folder, 'thumbnail.jpg'));
  return folder;
}

/** Sends a file with ETag and single ranges, as the browser's video element wants it. */
function sendFile(request, response, path, headers = {}) {
  const { size } = statSync(path);
  const type = TYPES[extname(path)] ?? { '.mp4': 'video/mp4', '.wav': 'audio/wav' }[extname(path)] ?? 'application/octet-stream';
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const common = { 'Content-Type': type, 'Accept-Ranges': 'bytes', ...headers };
  if (!range) {
    response.writeHead(200, { ...common, 'Content-Length': size });
    return createReadStream(path).pipe(response);
  }
  const start = Number(range[1]);
  const end = range[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
  response.writeHead(206, { ...common, 'Content-Length': end - start + 1, 'Content-Range': `bytes ${start}-${end}/${size}` });
  return createReadStream(path, { start, end }).pipe(response);
}

const json = (response, status, body, headers = {}) => {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
};
const problem = (response, status, code, detail, field = null, headers = {}) =>
  json(response, status, { type: 'about:blank', title: code, status, detail, field, code }, { 'Content-Type': 'application/problem+json', ...headers });

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function part(body, name) {
  const at = body.indexOf(`name="${name}"`);
  if (at < 0) return null;
  const start = body.indexOf('\r\n\r\n', at) + 4;
  return body.subarray(start, body.indexOf('\r\n--', start));
}

/** Width and height of a JPEG, from its frame header. */
function sizeOf(jpeg) {
  for (let at = 2; at + 9 < jpeg.length; at += 2 + jpeg.readUInt16BE(at + 2)) {
    if ((jpeg[at + 1] & 0xf0) === 0xc0 && ![0xc4, 0xc8, 0xcc].includes(jpeg[at + 1])) {
      return { height: jpeg.readUInt16BE(at + 5), width: jpeg.readUInt16BE(at + 7) };
    }
  }
  return null;
}

export async function startStandIn({ port = 0, dist = join(ROOT, 'web/dist') } = {}) {
  const files = media();
  const jobs = new Map();
  let refusals = 0;

  function state(job) {
    const { started, length, cancelled, fails, ...rest } = job;
    const part = Math.min(1, (Date.now() - started) / length);
    const progress = Math.floor(100 * part);
    const stage = STAGES.findLast(([from]) => from <= progress)[1];
    const eta_s = ((1 - part) * length) / 1000;
    if (cancelled) return { ...rest, status: 'cancelled', stage, progress };
    if (fails && progress > 40) return { ...rest, status: 'error', stage, progress, error: { title: 'failed', status: 502, detail: fails, code: 'voice_failed', field: null } };
    if (part === 1) return { ...rest, status: 'done', stage: 'done', progress: 100, eta_s: 0, video_url: `/api/video/jobs/${job.id}/video`, file_name: FILE_NAME };
    return { ...rest, status: part < 0.05 ? 'queued' : 'running', stage, progress, eta_s };
  }

  async function generate(request, response, japanese) {
    const body = await bodyOf(request);
    const text = part(body, 'text')?.toString('utf8') ?? '';
    if (text.trim() === '') return problem(response, 422, 'text_empty', japanese ? 'メッセージが空です。' : 'The message is empty.', 'text');
    if (text.includes('[bad]')) return problem(response, 422, 'text_unreadable', japanese ? '読めない文字があります。書きなおしてください。' : 'Some of this cannot be read aloud. Please rewrite it.', 'text');
    if (text.includes('[busy]') && refusals++ === 0) return problem(response, 503, 'queue_full', japanese ? 'ただいま混み合っています。' : 'Very busy just now.', null, { 'Retry-After': '1' });
    const id = `job${jobs.size + 1}x${Date.now().toString(36)}`;
    const fails = text.includes('[fail]') ? (japanese ? '声をつくれませんでした。もう一度おためしください。' : 'The voice could not be made. Please try again.') : null;
    const job = { id, created_at: Date.now() / 1000, started: Date.now(), length: text.length > 120 ? 10000 : 1500, fails };
    jobs.set(id, job);
    return json(response, 202, state(job), { Location: `/api/video/jobs/${id}` });
  }

  function events(request, response, job) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    let sequence = 0;
    const send = () => {
      const now = state(job);
      response.write(`id: ${++sequence}\nevent: job\ndata: ${JSON.stringify(now)}\n\n`);
      if (!['queued', 'running'].includes(now.status)) {
        clearInterval(timer);
        response.end();
      }
    };
    const timer = setInterval(send, 150);
    request.on('close', () => clearInterval(timer));
    send();
  }

  function jobRoute(request, response, id, rest) {
    const job = jobs.get(id);
    if (!job) return problem(response, 404, 'job_unknown', 'There is no such job.');
    if (request.method === 'DELETE') {
      job.cancelled = true;
      return json(response, 200, state(job));
    }
    if (rest === 'events') return events(request, response, job);
    if (rest === 'video') {
      const download = request.url.includes('download=1') ? { 'Content-Disposition': `attachment; filename="${FILE_NAME}"` } : {};
      return sendFile(request, response, join(files, 'video.mp4'), download);
    }
    if (rest === 'thumbnail') return sendFile(request, response, join(files, 'thumbnail.jpg'));
    return json(response, 200, state(job));
  }

  function presets(response, japanese) {
    const path = join(ROOT, 'assets/backgrounds/manifest.json');
    const list = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).backgrounds : [];
    const backgrounds = list.map((item) => ({
      id: item.id, name: japanese ? item.name_ja : item.name_en, category: item.category,
      thumbnail: `/api/presets/backgrounds/${item.id}/thumbnail`, image: `/api/presets/backgrounds/${item.id}/image`,
    }));
    return json(response, 200, { backgrounds });
  }

  async function faces(request, response, japanese) {
    const image = part(await bodyOf(request), 'image');
    const size = image?.[0] === 0xff && sizeOf(image);
    if (!size) return problem(response, 415, 'image_not_a_picture', japanese ? 'このファイルは写真として開けません。' : 'This is not a picture.', 'image');
    const side = Math.min(size.width, size.height);
    const box = { x: size.width * 0.5 - side * 0.19, y: size.height * 0.2, width: side * 0.38, height: side * 0.38 };
    const many = size.width > size.height * 1.4;
    const list = many ? [{ ...box, x: size.width * 0.22 - side * 0.15 }, { ...box, x: size.width * 0.72 - side * 0.15 }] : [box];
    return json(response, 200, { ...size, faces: list.map((one, index) => ({ index, box: one, score: 0.98, usable: true, problem: null })) });
  }

  function page(request, response, path) {
    const file = join(dist, normalize(path === '/' ? '/index.html' : path));
    if (!file.startsWith(dist) || !existsSync(file) || !statSync(file).isFile()) return problem(response, 404, 'not_found', 'There is nothing here.');
    return sendFile(request, response, file, { 'Content-Security-Policy': CSP, 'Cache-Control': 'no-cache' });
  }

  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://x').pathname;
    const japanese = (request.headers['accept-language'] ?? 'ja').startsWith('ja');
    const job = /^\/api\/video\/jobs\/([^/]+)(?:\/(.*))?$/.exec(path);
    const ground = /^\/api\/presets\/backgrounds\/([\w-]+)\/(image|thumbnail|\d+:\d+)$/.exec(path);
    if (path === '/api/video/generate' && request.method === 'POST') return generate(request, response, japanese);
    if (job) return jobRoute(request, response, job[1], job[2]);
    if (path === '/api/image/preview') {
      await bodyOf(request);
      return sendFile(request, response, join(files, 'thumbnail.jpg'));
    }
    if (path === '/api/image/faces') return faces(request, response, japanese);
    if (path === '/api/voices') {
      const voices = VOICES.map(([id, language, ja, noteJa, en, noteEn]) => ({ id, language, name: japanese ? ja : en, description: japanese ? noteJa : noteEn, engine: 'stand-in', credit: null }));
      return json(response, 200, { voices, default: { ja: 'ja-mei', en: 'en-clara' } });
    }
    if (/^\/api\/voices\/[^/]+\/sample$/.test(path)) return sendFile(request, response, join(files, 'voice.wav'));
    if (path === '/api/presets/backgrounds') return presets(response, japanese);
    if (ground) return sendFile(request, response, join(ROOT, 'assets/backgrounds', `${ground[1]}${{ image: '', thumbnail: '_thumb', '1:1': '' }[ground[2]] ?? `_${ground[2].replace(':', 'x')}`}.jpg`));
    if (path === '/api/limits') return json(response, 200, { keep: { uploads_s: 604800, videos_s: 2592000 } });
    if (path === '/api/presets/music') {
      const music = [['soft', 'やさしいピアノ', 'Gentle piano'], ['bright', 'はずむマリンバ', 'Bouncing marimba']];
      return json(response, 200, { music: music.map(([id, ja, en]) => ({ id, name: japanese ? ja : en, description: japanese ? 'やわらかな曲' : 'A soft piece', preview: `/api/presets/music/${id}/preview` })) });
    }
    if (/^\/api\/presets\/music\/\w+\/preview$/.test(path)) return sendFile(request, response, join(files, 'voice.wav'));
    if (path.startsWith('/api/')) return problem(response, 404, 'not_found', 'There is nothing here.');
    return page(request, response, path);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = () =>
    new Promise((resolve) => {
      rmSync(files, { recursive: true, force: true });
      server.closeAllConnections();
      server.close(resolve);
    });
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await startStandIn({ port: Number(process.argv[2] ?? 0) });
  console.log(server.url);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void server.stop().then(() => process.exit(0)));
}
