// ONNX Runtime's forward pass. Arguments: FOLDER (of onnxruntime-node) ONNX BATCH THREADS ROUNDS
// PIXELS OUTPUTS MEAN SCALE.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import readline from 'node:readline';

const [folder, onnx, batch, threads, rounds, pixels, outputs, mean, scale] = process.argv.slice(2);
const ort = createRequire(`${folder}/`)('onnxruntime-node');
const n = Number(batch);

function session(count) {
  return ort.InferenceSession.create(onnx, {
    intraOpNumThreads: count, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all',
  });
}

// Channels first.
const area = 224 * 224;
const rgb = fs.readFileSync(pixels);
const data = new Float32Array(n * 3 * area);
for (let i = 0; i < n * area; i += 1) {
  for (let c = 0; c < 3; c += 1) {
    data[(Math.floor(i / area) * 3 + c) * area + (i % area)] = (rgb[3 * i + c] - mean) * scale;
  }
}
const x = new ort.Tensor('float32', data, [n, 3, 224, 224]);

// Either all threads in one session, or, for batches of one, a session a thread.
const all = [await session(Number(threads))];
const each = n === 1 && threads > 1 ? await Promise.all(Array.from({ length: threads }, () => session(1))) : null;

async function work(sessions) {
  const start = process.hrtime.bigint();
  await Promise.all(sessions.map(async (s) => {
    for (let i = 0; i < rounds / sessions.length; i += 1) await s.run({ x });
  }));
  return Number(process.hrtime.bigint() - start) / 1e9;
}

async function trial(sessions) {
  await work(sessions);
  return Math.min(await work(sessions), await work(sessions));
}

const best = each !== null && await trial(each) < await trial(all) ? each : all;
const out = Object.values(await all[0].run({ x }))[0].data;
fs.writeFileSync(outputs, Buffer.from(out.buffer, out.byteOffset, out.byteLength));
await work(best);
console.log(`ready ONNX Runtime ${ort.env.versions.node}${best === each ? ', a session a thread' : ''}`);
for await (const line of readline.createInterface({ input: process.stdin })) console.log(await work(best));
