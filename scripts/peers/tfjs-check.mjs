// See tfjs-check. `layers GRAPH` reads a network's description, of mien-net, and prints the layers that
// may be the graph's outputs. `compare GRAPH PEERS PREP OURS` reads a line of base64 for each image,
// pixels that PREP (the model's preprocessing) brings to the graph's input, runs the graph with
// TensorFlow.js, of the folder PEERS, and compares its outputs with the files of the folder OURS, one a
// layer, whose lines are an image's numbers. An output is held against the layer that it is most like.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const [what, file, peers, prep, ours] = process.argv.slice(2);
const json = JSON.parse(fs.readFileSync(file));
const signature = json.signature ?? json.userDefinedMetadata?.signature;
const outputs = Object.entries(signature.outputs).map(([key, o]) => (o.name ?? key).replace(/:0$/, ''));

function layers() {
  const read = new Set();
  const all = [];
  for (const line of fs.readFileSync(0, 'utf8').trim().split('\n')) {
    const [name, type, ...options] = line.split(' ');
    const from = options.find((o) => o.startsWith('from='));
    if (from) from.slice(5).split(',').forEach((f) => read.add(f));
    else if (type !== 'input') read.add(all.at(-1));
    all.push(name);
  }
  const named = new Set(outputs.map((o) => o.split('/')[0]));
  console.log(all.filter((name) => !read.has(name) || named.has(name)).join('\n'));
}

async function load(tf) {
  const [group] = json.weightsManifest;
  const bytes = Buffer.concat(group.paths.map((p) => fs.readFileSync(path.join(path.dirname(file), p))));
  return tf.loadGraphModel(tf.io.fromMemory({
    modelTopology: json.modelTopology,
    weightSpecs: group.weights,
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  }));
}

// The graph's input of an image's pixels.
function prepared(tf, rgb, words, [, h, w, channels]) {
  const means = (words.mean ?? '0').split(',').map(Number);
  let x = tf.tensor(Float32Array.from(rgb), [1, h, w, 3]);
  if (words.color === 'bgr') x = tf.reverse(x, 3);
  x = tf.mul(tf.sub(x, tf.tensor1d(means.length === 1 ? [...means, ...means, ...means] : means)), Number(words.scale ?? 1));
  return channels === 1 ? tf.sum(tf.mul(x, tf.tensor1d([0.299, 0.587, 0.114])), 3, true) : x;
}

async function compare() {
  const require = createRequire(`${peers}/`);
  const tf = require('@tensorflow/tfjs');
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  wasm.setThreadsCount(1);
  await tf.setBackend('wasm');
  const model = await load(tf);
  const words = Object.fromEntries(prep.split(' ').map((w) => w.split('=')));
  const [h, w] = words.size.split('x').map(Number);
  const shape = [1, h, w, model.inputs[0].shape[3]];
  const images = fs.readFileSync(0, 'latin1').trim().split('\n').map((line) => Buffer.from(line, 'base64'));
  const theirs = outputs.map(() => []);
  for (const rgb of images) {
    tf.tidy(() => [model.execute(prepared(tf, rgb, words, shape), outputs)].flat()
      .forEach((t, i) => theirs[i].push(Array.from(t.dataSync()))));
  }
  const made = Object.fromEntries(fs.readdirSync(ours).map((name) => [
    name, fs.readFileSync(path.join(ours, name), 'latin1').trim().split('\n').map((l) => l.split(',').map(Number))]));
  let bad = images.length === 0;
  outputs.forEach((output, i) => {
    let best = { off: Infinity };
    for (const [name, rows] of Object.entries(made)) {
      if (rows.length !== images.length || rows[0].length !== theirs[i][0].length) continue;
      let most = 0;
      let off = 0;
      theirs[i].forEach((row, r) => row.forEach((v, k) => {
        most = Math.max(most, Math.abs(v));
        const d = Math.abs(v - rows[r][k]);
        if (!(d <= off)) off = d; // what is no number is off, too
      }));
      if (off / most < best.off || best.name === undefined) best = { name, off: off / most };
    }
    bad ||= !(best.off <= 1e-4);
    console.log(`${path.basename(file)} ${output}: ${best.name ?? 'no layer'}, ${theirs[i][0].length} numbers of `
      + `${images.length} images, largest relative difference ${best.off.toExponential(2)}`);
  });
  process.exit(bad ? 1 : 0);
}

if (what === 'layers') layers();
else await compare();
