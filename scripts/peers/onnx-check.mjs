// See onnx-check. `size PEERS FILE` prints the size of the network's input, HxW. `run PEERS FILE CASE`
// reads a line of base64 for each image, runs ONNX Runtime, of the folder PEERS, on its pixels from -1
// to 1, and writes inputs and outputs as a conformance case of ONNX. `time PEERS FILE` prints the least
// processor time of an image in milliseconds.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const [what, peers, file, folder] = process.argv.slice(2);
const ort = createRequire(`${peers}/`)('onnxruntime-node');
const session = await ort.InferenceSession.create(file, {
  intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all', logSeverityLevel: 3,
});
// Older files list weights among the inputs; the image comes first.
const { name, shape } = session.inputMetadata[0];
const known = (d, absent) => (typeof d === 'number' && d > 0 ? d : absent);
const behind = shape.length === 4 && known(shape[3], 0) <= 4 && known(shape[3], 0) > 0 && known(shape[1], 224) > 4;
const [h, w, channels] = behind ? [1, 2, 3].map((k) => known(shape[k], 224)) : [2, 3, 1].map((k) => known(shape[k], k === 1 ? 3 : 224));
const dims = behind ? [1, h, w, channels] : [1, channels, h, w];

function prepared(rgb) {
  const x = new Float32Array(h * w * channels);
  for (let i = 0; i < h * w; i += 1) {
    const p = [0, 1, 2].map((k) => rgb[3 * i + k] / 127.5 - 1);
    const values = channels === 1 ? [0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]] : p;
    values.forEach((v, k) => { x[behind ? i * channels + k : k * h * w + i] = v; });
  }
  return x;
}

const run = (x) => session.run({ [name]: new ort.Tensor('float32', x, dims) });

// A TensorProto of floats.
function proto(id, shapeOf, rows) {
  const varint = (n) => {
    const b = [];
    let v = n;
    do { b.push(v % 128 + (v >= 128 ? 128 : 0)); v = Math.floor(v / 128); } while (v > 0);
    return Buffer.from(b);
  };
  const raw = Buffer.concat(rows.map((r) => Buffer.from(r.buffer, r.byteOffset, r.byteLength)));
  const field = (tag, b) => [Buffer.from([tag]), varint(b.length), b];
  return Buffer.concat([...shapeOf.map((d) => Buffer.concat([Buffer.from([0x08]), varint(d)])), Buffer.from([0x10, 1]),
    ...field(0x42, Buffer.from(id)), ...field(0x4a, raw)]);
}

if (what === 'size') {
  console.log(`${h}x${w}`);
} else if (what === 'run') {
  const inputs = fs.readFileSync(0, 'latin1').trim().split('\n').map((line) => prepared(Buffer.from(line, 'base64')));
  const outputs = session.outputNames.map(() => ({ rows: [] }));
  for (const x of inputs) {
    const out = await run(x);
    session.outputNames.forEach((o, k) => {
      outputs[k].dims = out[o].dims;
      outputs[k].rows.push(Float32Array.from(out[o].data));
    });
  }
  const to = `${folder}/test_data_set_0`;
  fs.mkdirSync(to);
  fs.writeFileSync(`${to}/input_0.pb`, proto(name, [inputs.length, ...dims.slice(1)], inputs));
  outputs.forEach(({ dims: d, rows }, k) => fs.writeFileSync(
    `${to}/output_${k}.pb`, proto(session.outputNames[k], [rows.length, ...d], rows)));
} else {
  const x = new Float32Array(h * w * channels).map(() => 2 * Math.random() - 1);
  await run(x);
  let least = Infinity;
  const begin = performance.now();
  for (let rounds = 0; rounds < 3 || performance.now() - begin < 500; rounds += 1) {
    const from = process.cpuUsage();
    const started = performance.now();
    let runs = 0;
    do { await run(x); runs += 1; } while (performance.now() - started < 20); // eslint-disable-line no-await-in-loop
    const used = process.cpuUsage(from);
    least = Math.min(least, (used.user + used.system) / 1000 / runs);
  }
  console.log(least.toFixed(3));
}
