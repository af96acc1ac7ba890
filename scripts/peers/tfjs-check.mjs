// Runs faceres with TensorFlow.js on the pixels of JSON lines from mien-view and compares with the
// features, p_gender and p_age that they hold. Argument: faceres.json. See tfjs-check.
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

const worst = { features: 0, male: 0, age: 0 };
let cosine = 1;
let images = 0;

// The largest difference, relative to the largest element of theirs.
function compare(name, ours, theirs) {
  let most = 0;
  let off = 0;
  theirs.forEach((v, i) => {
    most = Math.max(most, Math.abs(v));
    off = Math.max(off, Math.abs(v - ours[i]));
  });
  worst[name] = Math.max(worst[name], off / most);
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const r = JSON.parse(line);
  if (!r.pixels || !r.features || !r.p_age) continue; // an image that couldn't be read
  const rgb = Buffer.from(r.pixels.base64, 'base64');
  const out = tf.tidy(() => {
    const image = tf.tensor(Float32Array.from(rgb), [1, 224, 224, 3]);
    // Blue first, less the authors' means.
    const input = tf.sub(tf.reverse(image, 3), tf.tensor1d([103.939, 116.779, 123.68]));
    const names = ['global_pooling/Mean', 'gender_pred/Sigmoid', 'age_pred/Softmax'];
    return model.execute(input, names).map((t) => Array.from(t.dataSync()));
  });
  const [features, male, age] = out;
  let dot = 0;
  let a = 0;
  let b = 0;
  features.forEach((v, i) => {
    dot += v * r.features[i];
    a += v * v;
    b += r.features[i] ** 2;
  });
  cosine = Math.min(cosine, dot / Math.sqrt(a * b));
  compare('features', r.features, features);
  compare('male', [r.p_gender[1]], male);
  compare('age', r.p_age.slice(1), age); // class 0 is the age 1
  images += 1;
}

console.log(`${images} images, TensorFlow.js ${tf.version_core} on its ${tf.getBackend()} backend`);
console.log(`least cosine similarity of features: ${cosine.toFixed(9)}`);
for (const [name, v] of Object.entries(worst)) {
  console.log(`largest relative difference, ${name}: ${v.toExponential(2)}`);
}
process.exit(images > 0 && cosine > 0.999 && Math.max(...Object.values(worst)) < 1e-3 ? 0 : 1);
