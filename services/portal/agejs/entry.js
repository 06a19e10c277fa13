// What of age-encryption the portal's pages need.
export { Decrypter } from "age-encryption";
