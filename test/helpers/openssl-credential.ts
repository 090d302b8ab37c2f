/**
 * A credential signed by the openssl tool (3.0.19) with a key made for it, as RFC 2792 and keynote(1) want it:
 *
 *     openssl genrsa -traditional 2048
 *     { printf '\\004\\024'; { cat BODY; printf sig-rsa-sha1-hex:; } | openssl sha1 -binary; } | openssl pkeyutl -sign -inkey KEY
 *     { cat BODY; printf sig-rsa-sha256-base64:; } | openssl dgst -sha256 -sign KEY
 *     { cat BODY; printf sig-x509-sha1-hex:; } | openssl dgst -sha1 -sign KEY
 */
export const OPENSSL_BODY = `KeyNote-Version: 2
Authorizer: "rsa-hex:3082010a0282010100a5142a276df16c6d5bed2f762b1bb17fb04ea18d1e5dac4c34e313a330f546c149da9c937c\\
  a1619c3dd3b63ca1b69de777746b24b7786b0ed8458e9e7cd970195f74953ad696bed67630d1012891ccd85448366bcb1185\\
  4c93722a0f9f9ede62e15ce0956c9748b9b11d722835c862d414417f02cf6160e0f5ff715b14811d94010544ba3566626255\\
  b02ea5d57ba10319fefca29e71554067ee9f8dd25b4f1a661388bfcaecb90beeab6a0509d1080ef7958c4094a1f3574a0700\\
  1c2abe9a33077e39aaaae22b8f9a8e33adaa9a62a81535d318b533435fdee30c02f6b0daba36ecbaff68a7b44d8c4f31fe08\\
  615237c3c16731b4773ec04d49dab17ca59f5d0203010001"
Licensees: "DN:/CN=a"
Conditions: app_domain == "IPsec policy"; # made by the openssl tool
`;

export const OPENSSL_SIGNATURES = {
  sha1: `sig-rsa-sha1-hex:7a5273d2a3eb8fec85a43fc4d6181e5e42a893714f9655bfd051202f161682ae5afd3e1c77c20d41622\\
  e421582109235cd3501b8ab9e0ac9abab6f52a1f32df44212e85987ebe2993f2a68f3d7ca5cf8314a7e1e689d6dbc894cb84\\
  a112b11a9b9190e3cbb8fe27ad58b2594b0a374f140ab51e2e72f1fb2217dc5fa293bbafd1dd20af08515d09cfab5f5f7b8c\\
  e1c46e28396fc89eafac66dfe6323f7775bbdfd5be6e68b6dcf712589197383118e459adc59867e1befeab72d02b497c9be2\\
  06af2cc992cd7a02f9d79f867c53b86814a80706942d8bb0034d40510a8861f981c699307103b87c4fd197d02a2e5e5851b9\\
  5cf1b344542dd087df9f20fc3d1d9`,
  sha256: `sig-rsa-sha256-base64:Sma5PZMUZhF65iFG7j8sYj+O9Eqbfe8OVO0GvzJNqco+hieEClRAc2GXkfUplsNoEdQr92OXGzp2lr\\
  VxXbP0LvZPek2ES7+FG1MqZAWuJQFka137CcBI9Xw8SdTT5MKtui/ez4XVYTmW2HU8+i/rbiqKwMwdCimWiy4rkr4gcvaSDA93fP\\
  clC+kYXZkzjHUwhE0SUW3aIvXru+zzkqA0JEKYyyZbj5Jn3zeMQLMkCMbsHo2ZKIsnJ06yIp8wyjolVKym/ukq5UMmGq9PdtsZUu\\
  X0b6wfHj8SuvOmihsiyAMQT7iGMM7cAc1cSl5lOWKiiKDwkdg7BM25TmagCEWZsg==`,
  x509: `sig-x509-sha1-hex:3a6b24265e266490becd787c8b5df801d81b2ef4e8c4bb39b4a51227c945eb12bd778d337fa40c9d90\\
  d63ebf958523798aaf6dd9add9810a673c2df607770af20929bed459f66919e7c35e597a405954cae15a85e286b6d0d885e0\\
  a8f43802c409de07efb5cd9aafbd1afd8327711a45ae2696ab76d0ef978ff6cbdbdc7d137c8f22e611f69949bac51cc12000\\
  e9ec5fa87d402d007e0316b54a3d6517a99c3a3042bd9776ede29ebf62bb6428f3e2ea12e37232c830b0e3ba08c936977bb0\\
  c62c194fb967be2c313c3e22192abc68dac7792c03146322f31521904f5f1c9c0e16c0e874ff7a8dca7660669d2e6c6fa7a3\\
  7a53ed72a922f167f8ebe362b3a9ad`,
};
