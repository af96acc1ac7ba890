// Runs an ONNX file of mien-export's with ONNX Runtime on lines of "HEIGHT,WIDTH,3 BASE64", RGB, two
// at a time, and writes each output's numbers into a file of its name. Arguments: FOLDER (of
// onnxruntime-node) ONNX PREP (the model's preprocessing) OUTPUTS (a folder). See export-check.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const [folder, onnx, prep, outputs] = process.argv.slice(2);
const ort = createRequire(`${folder}/`)('onnxruntime-node');
const session = await ort.InferenceSession.create(onnx, { logSeverityLevel: 3 });
const words = Object.fromEntries(prep.split(' ').map((w) => w.split('=')));
const means = (words.mean ?? '0').split(',').map(Number); // one for all, or three
const mean = means.length === 1 ? [...means, ...means, ...means] : means;
const scale = Number(words.scale ?? 1);
const bgr = words.color === 'bgr';

const images = fs.readFileSync(0, 'latin1').trim().split('\n').map((line) => {
  const [shape, text] = line.split(' ');
  const [h, w] = shape.split(',').map(Number);
  return { h, w, rgb: Buffer.from(text, 'base64') };
});

// What the metadata tell to do: channels first, in the network's order.
function prepared({ h, w, rgb }) {
  const x = new Float32Array(3 * h * w);
  for (let c = 0; c < 3; c += 1) {
    for (let i = 0; i < h * w; i += 1) x[c * h * w + i] = (rgb[3 * i + (bgr ? 2 - c : c)] - mean[c]) * scale;
  }
  return x;
}

const rows = Object.fromEntries(session.outputNames.map((name) => [name, []]));
for (let at = 0; at < images.length; at += 2) {
  const batch = images.slice(at, at + 2);
  const [{ h, w }] = batch;
  const input = session.inputNames[0] === 'pixels'
    ? new ort.Tensor('uint8', Uint8Array.from(Buffer.concat(batch.map((x) => x.rgb))), [batch.length, h, w, 3])
    : new ort.Tensor('float32', Float32Array.from(batch.flatMap((x) => Array.from(prepared(x)))), [batch.length, 3, h, w]);
  const out = await session.run({ [session.inputNames[0]]: input });
  for (const [name, t] of Object.entries(out)) {
    const n = t.data.length / batch.length;
    batch.forEach((_, i) => rows[name].push(Array.from(t.data.slice(i * n, (i + 1) * n)).join(',')));
  }
}
for (const [name, lines] of Object.entries(rows)) fs.writeFileSync(`${outputs}/${name}`, `${lines.join('\n')}\n`);
