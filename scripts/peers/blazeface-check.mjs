// Runs BlazeFace with TensorFlow.js on the pixels of JSON lines from mien-view, each with the name of
// an output's layer, and compares with the features that they hold. Argument: blazeface.json. See
// blazeface-check.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import * as tf from '@tensorflow/tfjs';

const file = process.argv[2];
const json = JSON.parse(fs.readFileSync(file));
const group = json.weightsManifest[0];
const bytes = Buffer.concat(group.paths.map((p) => fs.readFileSync(path.join(path.dirname(file), p))));
const model = await tf.loadGraphModel(tf.io.fromMemory({
  modelTopology: json.modelTopology,
  weightSpecs: group.weights,
  weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
}));

const worst = {};
const largest = {};
const images = new Set();

for await (const line of readline.createInterface({ input: process.stdin })) {
  const r = JSON.parse(line);
  if (!r.pixels || !r.features) continue; // an image that couldn't be read
  const node = json.modelTopology.node.find((n) => n.name.endsWith(`/${r.layer}`)).name;
  const theirs = tf.tidy(() => {
    const image = tf.tensor(Float32Array.from(Buffer.from(r.pixels.base64, 'base64')), [1, 256, 256, 3]);
    return model.execute(tf.sub(tf.div(image, 127.5), 1), node).dataSync();
  });
  if (theirs.length !== r.features.length) throw new Error(`${r.layer}: ${r.features.length} values`);
  theirs.forEach((v, i) => {
    worst[r.layer] = Math.max(worst[r.layer] ?? 0, Math.abs(v - r.features[i]) / Math.max(1, Math.abs(v)));
    largest[r.layer] = Math.max(largest[r.layer] ?? 0, Math.abs(v));
  });
  images.add(r.id);
}

console.log(`${images.size} images, TensorFlow.js ${tf.version_core} on its ${tf.getBackend()} backend`);
for (const [layer, off] of Object.entries(worst)) {
  console.log(`${layer.padEnd(18)} largest difference, relative above 1: ${off.toExponential(2)} of values up to ${largest[layer].toFixed(1)}`);
}
const bad = images.size === 0 || Object.keys(worst).length !== 4 || Object.values(worst).some((off) => !(off < 1e-3));
process.exit(bad ? 1 : 0);
