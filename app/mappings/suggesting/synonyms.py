"""What people call the fields of records: the headings of shops, ERP systems and mailing tools in several languages.

Words are compared without case, accents, blanks and punctuation. Those written first win over later ones, should a file
have both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Synonyms:
    """One meaning. `fields` are those of the built-in types that have it, each after the name of its type; a field of
    an own type has it if its id or label is one of `words`. `weak` words may mean something else in another file.
    Both are separated by semicolons."""

    words: str
    fields: str = ""
    weak: str = ""


SYNONYMS: Final[Mapping[str, Synonyms]] = {
    "an e-mail address": Synonyms(
        fields="contacts._email; customers.email",
        words="email; e-mail; email address; e-mail address; mail; mail address; user email; customer email; "
        "contact email; billing email; e-mail 1 - value; person email work; emailaddress; smtp addr; "
        "E-Mail-Adresse; Mailadresse; E-Mail Kontakt; adresse e-mail; adresse mail; adresse de messagerie; courriel; "
        "adresse électronique; correo; correo electrónico; dirección de correo electrónico; dirección de correo; "
        "indirizzo e-mail; indirizzo mail; indirizzo di posta elettronica; posta elettronica; e-mailadres; "
        "e-mailadresse; endereço de e-mail; e-mail klient",
    ),
    "the sender's id of a person": Synonyms(
        fields="contacts._externalId; customers.source_id",
        words="customer id; customer number; customer no; customer code; client id; contact id; person id; record id; "
        "user id; external id; source id; account reference; account number; cardcode; kunnr; debtor number; "
        "member id; member number; id externo; identificativo esterno; subscriber id; "
        "Kundennummer; Kunden-Nr; Kd.-Nr.; Kunden-ID; Debitorennummer; Debitor; Mitgliedsnummer; "
        "numéro client; code client; id client; n° client; ID de fiche d'informations; numéro de client; "
        "código cliente; código de cliente; número de cliente; ID de registro; id cliente; nº cliente; "
        "codice cliente; cod. cliente; numero cliente; klantnummer; relatiecode; debiteurnummer",
        weak="id; no.; number; nr.; code; code tiers; cod.; código; codice; Konto; account; konto-nr.; reference; ref",
    ),
    "a first name": Synonyms(
        fields="contacts._name",
        words="first name; given name; forename; fname; firstname; person first name; "
        "Vorname; Rufname; prénom; nombre; nombre de pila; primer nombre; nome; nome proprio; nome di battesimo; "
        "voornaam; primeiro nome; imię; fornavn; förnamn",
        weak="name",
    ),
    "a last name": Synonyms(
        fields="contacts._surname",
        words="last name; surname; family name; lname; lastname; person last name; "
        "Nachname; Familienname; Zuname; nom de famille; nom; apellido; apellidos; primer apellido; cognome; "
        "achternaam; familienaam; sobrenome; apelido; nazwisko; etternavn; efternamn",
    ),
    "a full name": Synonyms(
        fields="customers.name",
        words="name; full name; customer name; account name; cardname; name1; display name; client name; company name; "
        "contact name; Kundenname; vollständiger Name; Name (Adressattyp Unternehmen); Firmenname; "
        "nom complet; nom du client; raison sociale; nom; nombre completo; nombre del cliente; razón social; nombre; "
        "nome completo; nome cliente; denominazione; ragione sociale; nome; naam; bedrijfsnaam",
        weak="company; Firma; société; empresa; azienda",
    ),
    "a date of birth": Synonyms(
        fields="contacts._birthdate; customers.birthdate",
        words="birthdate; birth date; date of birth; dob; birthday; "
        "Geburtsdatum; Geburtstag; Geb.-Datum; date de naissance; anniversaire; naissance; "
        "fecha de nacimiento; f. nacimiento; cumpleaños; nacimiento; data di nascita; compleanno; nascita; "
        "geboortedatum; data de nascimento; data urodzenia",
    ),
    "a phone number": Synonyms(
        fields="customers.phone",
        words="phone; phone number; telephone; telephone number; tel; telf1; phone 1 - value; billing phone; "
        "mobile; mobile phone; cell phone; Telefon; Telefonnummer; Tel.-Nr.; Rufnummer; "
        "téléphone; numéro de téléphone; teléfono; número de teléfono; telefono; numero di telefono; "
        "telefoon; telefoonnummer; telefone",
    ),
    "a mobile phone number": Synonyms(
        fields="contacts._mobilePhone",
        words="mobile; mobile phone; mobile number; mobile phone number; cell phone; cell; cellphone; sms; "
        "person phone mobile; Mobil; Mobiltelefon; Handynr.; Mobilfunknummer; Mobilnummer; Handy; Handynummer; "
        "Mobilfunk; "
        "téléphone mobile; tél. mobile; téléphone portable; portable; mobile (sms); "
        "móvil; teléfono móvil; celular; número de móvil; cellulare; telefono cellulare; cell.; numero di cellulare; "
        "mobiel; mobiel nummer; telemóvel; telefon komórkowy",
        weak="phone; phone number; telephone; tel; phone 1 - value; Telefon; Telefonnummer; téléphone; "
        "numéro de téléphone; teléfono; número de teléfono; telefono; numero di telefono; telefoon",
    ),
    "the consent to a newsletter": Synonyms(
        fields="contacts._newsletterSubscriptionStatus",
        words="newsletter; newsletter subscription; email marketing consent; accepts email marketing; email consent; "
        "newsletter status; Newsletter-Status; Newsletter abonniert; abonnement newsletter; lettre d'information; "
        "boletín; boletín de noticias; suscripción al boletín; iscrizione newsletter; nieuwsbrief",
        weak="accepts marketing; opt-in; subscribed",
    ),
    "the consent to text messages": Synonyms(
        fields="contacts._smsSubscriptionStatus",
        words="accepts sms marketing; sms marketing consent; sms consent; sms opt-in; sms subscription",
    ),
    "loyalty points": Synonyms(
        fields="contacts._points",
        words="points; loyalty points; reward points; Punkte; Treuepunkte; Bonuspunkte; points de fidélité; puntos; "
        "puntos de fidelidad; punti; punti fedeltà; punten; spaarpunten",
    ),
    "a street": Synonyms(
        fields="customers.address.line_1",
        words="address line 1; address 1; address1; street; street 1; street address; billing address 1; stras; "
        "mailing street; adresregel; adresregel 1; Straße; Straße und Hausnummer; Strasse; Anschrift; rue; adresse; "
        "adresse 1; voie; dirección; "
        "domicilio; calle; indirizzo; via; straat; adres; adres 1; endereço; ulica",
        weak="address",
    ),
    "a second line of an address": Synonyms(
        fields="customers.address.line_2",
        words="address line 2; address 2; address2; street 2; street2; calle 2; calle2; rue 2; via 2; adresregel 2; "
        "billing address 2; Adresszusatz; "
        "complément d'adresse; adresse 2; dirección 2; indirizzo 2; adres 2",
    ),
    "a postal code": Synonyms(
        fields="customers.address.postal_code",
        words="postal code; postcode; post code; zip; zip code; zipcode; address zip; address postal code; "
        "billing postcode; pstlz; "
        "PLZ; Postleitzahl; code postal; cp; código postal; c.p.; cap; codice postale; c.a.p.; codigo postal; "
        "kod pocztowy",
    ),
    "a city": Synonyms(
        fields="customers.address.city",
        words="city; town; city/town; locality; address city; billing city; mailing city; ort01; "
        "Ort; Stadt; Wohnort; ville; commune; ciudad; población; localidad; municipio; città; comune; località; "
        "plaats; woonplaats; stad; cidade; miasto",
    ),
    "a state or region": Synonyms(
        fields="customers.address.state",
        words="state; province; region; county; address state; billing state; regio; state/province; "
        "Bundesland; Region; Kanton; région; département; provincia; estado; región; prov.; regione; provincie",
    ),
    "a country": Synonyms(
        fields="customers.address.country",
        words="country; country code; address country; billing country; land1; nation; "
        "Land; Staat; Ländercode; pays; code pays; país; pais; paese; nazione; stato; land code; kraj",
    ),
    "a description": Synonyms(
        fields="customers.description",
        words="description; notes; note; comment; comments; remarks; "
        "Bemerkung; Notiz; Notizen; Anmerkung; Beschreibung; commentaire; remarques; notas; observaciones; "
        "comentarios; osservazioni; note cliente; opmerkingen",
    ),
    "an article number": Synonyms(
        fields="products.productId; catalog.productID",
        words="sku; seller sku; oxartnum; product sku; custom label (sku); Bestandseinheit (SKU); UGS; product number; "
        "product code; product id; productid; article number; article no; item number; item no; item code; stock code; "
        "ordernumber; order number; part number; internal reference; material number; matnr; "
        "Artikelnummer; Artikel-Nr.; Art.-Nr.; Art. no.; Bestellnummer; Produktnummer; Materialnummer; "
        "référence; référence article; réf. article; réf.; code article; code produit; référence produit; "
        "referencia; código artículo; código de artículo; código producto; ref. producto; "
        "riferimento interno; codice articolo; cod. articolo; codice prodotto; "
        "artikelcode; artikelnr; productcode; referência",
        weak="handle; material; reference; reference #; no.; nr.; code; código; codice; cod.; item; id; number; ref; "
        "Nummer; numéro; número; numero; variant sku",
    ),
    "the name of a product": Synonyms(
        fields="products.name; catalog.productName",
        words="product name; name; title; oxtitle; descrizione articolo; product title; item name; article name; "
        "material description; item title; "
        "listing title; Produktname; Artikelname; Artikelbezeichnung; Bezeichnung; Titel; Angebotstitel; "
        "Materialkurztext; Kurztext; Produkttitel; nom; nom du produit; désignation; libellé; intitulé; titre; "
        "nombre; nombre del producto; título; denominación; nome; nome prodotto; titolo; denominazione; "
        "naam; artikelnaam; productnaam; titel; nome do produto; nazwa",
        weak="description; Beschreibung; descripción; descrizione; omschrijving; Bez.; item description",
    ),
    "the description of a product": Synonyms(
        fields="products.description; catalog.description",
        words="long description; description long; description; body (html); body html; body; product description; "
        "item description; "
        "Beschreibung; Langbeschreibung; Artikelbeschreibung; Produktbeschreibung; Langtext; "
        "description longue; descriptif; descripción; descripción larga; descrizione; descrizione lunga; "
        "omschrijving; lange omschrijving; descrição; opis",
    ),
    "a sales price": Synonyms(
        fields="products.unitPrice; catalog.price",
        words="sale price; unit price; oxprice; prezzo listino; prezzo listino 1; sales price; selling price; "
        "price; variant price; regular price; price gross; "
        "price tax included; price (tax incl.); gross price; buy it now price; retail price; "
        "Preis; Verkaufspreis; VK-Preis; VK; Brutto-VK; Bruttopreis; Brutto-Preis; Regulärer Preis; Stückpreis; "
        "Einzelpreis; Sofort-Kaufen-Preis; Endpreis; "
        "prix; prix de vente; prix TTC; tarif régulier; prix unitaire; tarif; prix de vente TTC; "
        "precio; precio de venta; PVP; precio unitario; precio con IVA; precio venta; "
        "prezzo; prezzo di vendita; prezzo ivato; prezzo unitario; prezzo di listino; "
        "prijs; verkoopprijs; preço; cena",
    ),
    "a price without tax": Synonyms(
        fields="products.unitPriceWithoutVAT",
        words="price without vat; unit price without vat; net price; price net; price tax excluded; "
        "price (tax excl.); price excl. vat; price ex vat; "
        "Nettopreis; Netto-Preis; Netto-VK; Preis netto; prix HT; prix de vente HT; prix unitaire HT; "
        "precio sin IVA; precio neto; base imponible; prezzo netto; prezzo senza iva; prijs excl. btw; nettoprijs",
    ),
    "a price before a reduction": Synonyms(
        fields="products.unitPriceOriginal",
        words="compare at price; compares at price; variant compare at price; original price; unit price original; "
        "list price; msrp; rrp; "
        "pseudoprice; strike price; UVP; Streichpreis; Listenpreis; Originalpreis; prix barré; prix conseillé; "
        "prix d'origine; precio original; precio anterior; PVPR; prezzo originale; prezzo barrato; adviesprijs",
    ),
    "a number in stock": Synonyms(
        fields="products.inStockUnits",
        words="in stock units; stock; oxstock; stock quantity; quantity in stock; inventory; inventory quantity; "
        "qty; quantity; "
        "variant inventory qty; qty on hand; quantity on hand; instock; available quantity; on hand; "
        "unrestricted-use stock; stock level; "
        "Lagerbestand; Bestand; Lager; Lagermenge; Verfügbare Stückzahl; verfügbarer Bestand; frei verwendbar; Menge; "
        "stock réel; quantité; quantité en stock; stock disponible; existencias; cantidad; unidades; inventario; "
        "quantità; quantità disponibile; giacenza; q.tà in giacenza; disponibilità; voorraad; aantal; estoque",
    ),
    "whether it is in stock": Synonyms(
        fields="products.availability; catalog.inStock",
        words="availability; in stock; in stock?; is in stock; stock status; "
        "Verfügbarkeit; Vorrätig?; Lieferbar; disponibilité; en stock ?; disponibilidad; en existencia; ¿en stock?; "
        "disponibilità; disponibile; beschikbaarheid",
    ),
    "the address of a page": Synonyms(
        fields="products.productDetailUrl; catalog.url",
        words="product url; product detail url; url; link; product link; web url; product page; permalink; "
        "Produkt-URL; Produktlink; Deeplink; Artikel-URL; lien; lien produit; url du produit; url produit; "
        "enlace; url del producto; enlace del producto; link prodotto; url prodotto; productlink",
    ),
    "a picture": Synonyms(
        fields="products.imageUrl",
        words="image url; image link; image; product image url; product image url - 1; main image; image src; "
        "base image; picture; picture url; image urls; "
        "images; cover media url; photo; "
        "Bild; Bilder; Bild-URL; Bildlink; Hauptbild; Artikelbild; url de l'image; url des images; lien image; "
        "imagen; imágenes; url de imagen; enlace imagen; immagine; immagini; url immagine; link immagine; "
        "afbeelding; afbeeldingen",
    ),
    "a small picture": Synonyms(
        fields="products.thumbnailUrl",
        words="thumbnail; thumbnail url; thumbnail image; thumb; Vorschaubild; miniature; vignette; miniatura; "
        "anteprima",
    ),
    "categories": Synonyms(
        fields="products.categories; catalog.category",
        words="categories; category; category name; gruppo merceologico; product category; item category; "
        "item category code; category path; "
        "product categories; material group; product group; product type; "
        "Kategorie; Kategorien; Warengruppe; Artikelgruppe; Artikelkategorie; Artikelkategoriencode; Produktkategorie; "
        "catégorie; catégories; famille; rayon; categoría; categorías; familia; "
        "categoria; categoria prodotto; categorie; reparto; categorieën; artikelgroep; kategoria",
    ),
    "tags": Synonyms(
        fields="products.tags",
        words="tags; tag; keywords; labels; Schlagwörter; Schlagworte; Stichworte; Suchbegriffe; "
        "étiquettes; mots-clés; mots clés; etiquetas; palabras clave; etichette; parole chiave; trefwoorden",
    ),
    "a brand": Synonyms(
        fields="products.brand; catalog.manufacturerName",
        words="brand; brand name; manufacturer; manufacturer name; Marke; Hersteller; marque; fabricant; marca; "
        "fabricante; produttore; merk; fabrikant",
        weak="vendor",
    ),
    "a bar code": Synonyms(
        fields="catalog.UPCCode",
        words="upc code; upc; gtin; ean; ean13; barcode; bar code; variant barcode; ean/upc; EAN-Nummer; "
        "code barres; código de barras; código EAN; codice a barre; cod. a barre",
    ),
    "related products": Synonyms(
        fields="products.relatedExternalProductIds",
        words="related skus; related products; cross-sells; upsells; Zubehör; ähnliche Artikel; produits associés; "
        "productos relacionados; prodotti correlati",
    ),
    "a rating": Synonyms(
        fields="products.rating",
        words="rating; average rating; Bewertung; note moyenne; valoración; valutazione; beoordeling",
    ),
    "the code of a coupon": Synonyms(
        fields="coupons.code",
        words="code; coupon code; coupon; voucher code; voucher; discount code; promo code; promotion code; gift code; "
        "Gutscheincode; Gutschein; Gutscheinnummer; Rabattcode; Aktionscode; code promo; code de réduction; "
        "code coupon; bon de réduction; código; código de descuento; cupón; código promocional; código de cupón; "
        "codice; codice sconto; codice coupon; buono; codice promozionale; kortingscode; vouchercode",
    ),
}
